"""Sending what is due. A notice is claimed and begun, and both are committed, before the server is spoken to.

A sender that dies between the server's yes and our mark leaves its lease to run out: the mail is then sent once more,
with the same Message-ID, and never a third time (FAULTS L04). A 4xx and a time-out are tried again, with growing
pauses; a 5xx is not (FAULTS L11).
"""

import datetime as dt
import logging
import time
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from notifications import claiming, deciding, texting
from notifications.claiming import Lease, Mark, Status
from notifications.line import Line, Refusal, ServerAway
from notifications.models import Channel, Notification
from notifications.rendering import Mail

logger = logging.getLogger(__name__)

BATCH = 1_000
DECIDED_AT_ONCE = 200  # of a claim: a mail is checked at the moment of sending, not of claiming
FIRST_PAUSE = dt.timedelta(minutes=1)
LONGEST_PAUSE = dt.timedelta(hours=2)
MAX_TRIES = 12


def send_waiting(limit: int = BATCH) -> int:
    """Send what is due, the oldest first; how many were sent. Two workers never send one notice at the same time."""
    open_line = Line()
    sent = done = 0
    try:
        while done < limit and (leases := claiming.claim(min(claiming.AT_ONCE, limit - done))):
            worked_off, sent_of_claim = _work_off_claim(leases, open_line)
            done, sent = done + worked_off, sent + sent_of_claim
    except ServerAway as error:
        logger.warning("the mail server did not answer (%s); the rest waits", error)
    finally:
        open_line.hang_up()
    return sent


def _work_off_claim(leases: Sequence[Lease], open_line: Line) -> tuple[int, int]:
    """Work off a claim, deciding about so many at a time just before they are sent; how many, and how many were sent.

    What was not begun is given back where the server is away, and before its lease runs out: another sender would count
    it as tried.
    """
    sent, claimed_at = 0, time.monotonic()
    for start in range(0, len(leases), DECIDED_AT_ONCE):
        if start and time.monotonic() - claimed_at >= claiming.LEASE.total_seconds() / 2:
            _give_back(claiming.claimed(leases[start:]))
            return start, sent
        try:
            sent += _work_off(claiming.claimed(leases[start : start + DECIDED_AT_ONCE]), open_line)
        except ServerAway:
            _give_back(claiming.claimed(leases[start + DECIDED_AT_ONCE :]))
            raise
    return len(leases), sent


def _work_off(notices: list[Notification], open_line: Line) -> int:
    """Decide about a claim and send what is to be sent; how many were sent. Raises ServerAway, letting go of the rest.

    The mark that closes one notice begins the next: one commit for each mail. What can be done for all at once is done
    before: between two waits it takes several times as long (docs/decisions/2131).
    """
    decisions = deciding.decide(notices)
    Notification.objects.bulk_create(decisions.more, ignore_conflicts=True)
    claiming.write(decisions.marks)
    claiming.keep_words(decisions.to_send)
    open_line.compose(decisions.to_send)
    sent, last = 0, None
    with connection.cursor() as cursor:
        for place, (notice, mail) in enumerate(decisions.to_send):
            is_mail = notice.channel != Channel.TEXT
            try:
                if is_mail:
                    open_line.offer(notice)
                is_ours, last = claiming.step(cursor, last, notice), None
                mark = _send(notice, mail, open_line) if is_ours else None
            except ServerAway as away:
                claiming.step(cursor, last, None)
                _let_go(_later(notice, str(away)), [other for other, _mail in decisions.to_send[place + 1 :]])
                raise
            if mark is None:  # the lease ran out, and another has it
                if is_mail:
                    open_line.hang_up()
            elif mark.status == Status.SENT:
                last, sent = mark, sent + 1
            else:
                claiming.write([mark])
        claiming.step(cursor, last, None)
    return sent


def _send(notice: Notification, mail: Mail, open_line: Line) -> Mark:
    """Send one notice that was begun: the mark of what came of it. Raises ServerAway."""
    try:
        if notice.channel == Channel.TEXT:
            texting.send(mail.address, mail.text, notice_id=notice.pk)
        else:
            open_line.send(notice, mail)
    except ValueError:  # Django refuses a header of more than one line (FAULTS L12)
        return Mark(notice=notice, status=Status.FAILED, reason="a header could not be written")
    except Refusal as refusal:
        if refusal.is_final:
            return Mark(notice=notice, status=Status.FAILED, reason=f"refused by the mail server ({refusal.code})")
        return _later(notice, f"put off by the mail server ({refusal.code})")
    except texting.TooMany:
        return Mark(notice=notice, status=Status.DROPPED, reason="too many texts to this number")
    return Mark(notice=notice, status=Status.SENT, reason=_kept(notice, ""))


def _later(notice: Notification, reason: str) -> Mark:
    if notice.tries >= MAX_TRIES:
        return Mark(notice=notice, status=Status.FAILED, reason=f"given up after {notice.tries} tries: {reason}")
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (notice.tries - 1))
    return Mark(notice=notice, status=Status.WAITING, reason=_kept(notice, reason), next_try_at=timezone.now() + pause)


def _let_go(mark: Mark, rest: list[Notification]) -> None:
    """Write a mark, and give back what was claimed and not begun: it is due at once, and was no try."""
    claiming.write([mark, *_back(rest)])


def _give_back(notices: Sequence[Notification]) -> None:
    claiming.write(_back(notices))


def _back(notices: Sequence[Notification]) -> list[Mark]:
    now = timezone.now()
    return [
        Mark(notice=notice, status=Status.WAITING, reason=notice.reason, counts=False, next_try_at=now)
        for notice in notices
    ]


def _kept(notice: Notification, reason: str) -> str:
    return claiming.REPEATED if notice.reason == claiming.REPEATED else reason
