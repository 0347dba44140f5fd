"""What becomes of each notice that is due: sent now, held, kept in the portal alone, or dropped.

Looked up for many at once, by the rules of the moment of sending, not of queueing (FAULTS F09, L02, L03, L08): who is
active, where their confirmed address is, what they want, whether it is quiet, and whether the news is still true.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils import timezone

from accounts import confidentiality
from notifications import news, preferences, rendering, suppressing
from notifications.claiming import Mark, Status
from notifications.kinds import KINDS, Kind
from notifications.models import Channel, Delivery, Notification, Suppression
from notifications.news import News, NotToBeSent
from notifications.preferences import Choices
from notifications.rendering import Mail, Printer

logger = logging.getLogger(__name__)

# No text before 8 a.m. or after 9 p.m. by the portal's clock (47 CFR 64.1200(c)(1)).
NIGHT = Delivery(quiet_from=dt.time(21), quiet_until=dt.time(8))


@dataclass(slots=True)
class Decisions:
    """What is to be sent, in order; what is only marked; and notices by other channels that follow from these."""

    to_send: list[tuple[Notification, Mail]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    more: list[Notification] = field(default_factory=list)
    printer: Printer = field(default_factory=Printer)


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides about some notices, as it stands now."""

    looked: dict[int, news.Looked]
    addresses: dict[int, str]
    stopped: dict[str, str]
    choices: Choices
    now: dt.datetime


def decide(notices: Sequence[Notification]) -> Decisions:
    """Decide about notices that were claimed; a dozen queries, however many there are."""
    found = Decisions()
    readable = []
    for notice in notices:
        if notice.user is None or not notice.user.is_active:
            _drop(found, notice, "the user is not active")
        elif notice.kind not in KINDS:
            _drop(found, notice, "no such kind of notice any more")
        else:
            readable.append(notice)
    facts = _facts(readable)
    for notice in readable:
        seen = facts.looked[notice.pk]
        if isinstance(seen, NotToBeSent):
            _drop(found, notice, str(seen))
        elif notice.channel == Channel.TEXT:
            _text(found, notice, seen, facts)
        else:
            _mail(found, notice, seen, facts)
    return found


def _facts(notices: Sequence[Notification]) -> Facts:
    users = {notice.user_id: notice.user for notice in notices if notice.user_id is not None}
    confirmed = set(EmailAddress.objects.filter(user_id__in=users, verified=True).values_list("user_id", "email"))
    lower = {(user_id, email.lower()) for user_id, email in confirmed}
    addresses = {pk: user.email for pk, user in users.items() if user is not None and (pk, user.email.lower()) in lower}
    # Who asked for confidential communications said where mail may go: there or nowhere (FAULTS L02).
    for user_id, own in confidentiality.mail_addresses(list(users)).items():
        addresses[user_id] = own if (user_id, own.lower()) in lower else ""
    return Facts(
        looked=news.look(notices),
        addresses=addresses,
        stopped=suppressing.causes(addresses.values()),
        choices=preferences.chosen_by(users),
        now=timezone.now(),
    )


def _mail(found: Decisions, notice: Notification, seen: News, facts: Facts) -> None:
    kind, user = KINDS[notice.kind], notice.user
    assert user is not None
    delivery = facts.choices.delivery(user.pk)
    if not kind.is_security and (end := delivery.quiet_end(facts.now)) is not None:
        found.marks.append(
            Mark(notice=notice, status=Status.WAITING, reason="quiet hours", counts=False, next_try_at=end)
        )
        return
    if settings.SMS_BACKEND and delivery.takes_texts and facts.choices.wants(user.pk, kind, Channel.TEXT):
        found.more.append(_also(notice, Channel.TEXT))
    address = facts.addresses.get(user.pk, "")
    if reason := _why_not_by_mail(kind, user.pk, address, facts):
        if kind.is_required:  # it must reach them somehow
            found.more.append(_also(notice, Channel.LETTER))
        found.marks.append(Mark(notice=notice, status=Status.KEPT, reason=reason))
        return
    try:
        mail = found.printer.print(
            notice.kind, seen, address=address, language=user.language, states_amounts=delivery.states_amounts
        )
    except Exception:  # one kind's broken template must not stop the others
        logger.exception("notice %s could not be rendered", notice.pk)
        found.marks.append(Mark(notice=notice, status=Status.FAILED, reason="could not be rendered"))
        return
    found.to_send.append((notice, mail))


def _why_not_by_mail(kind: Kind, user_id: int, address: str, facts: Facts) -> str:
    """Why a notice stands in the portal alone; empty where it is mailed."""
    if not address:
        return "the user has no confirmed address"
    cause = facts.stopped.get(address.lower())
    if cause == Suppression.Cause.BOUNCED or (cause is not None and not kind.is_required):
        return f"the address is not written to: {cause}"
    if not facts.choices.wants(user_id, kind, Channel.MAIL):
        return "switched off"
    return ""


def _text(found: Decisions, notice: Notification, seen: News, facts: Facts) -> None:
    user = notice.user
    assert user is not None
    delivery = facts.choices.delivery(user.pk)
    if not settings.SMS_BACKEND or not delivery.takes_texts:
        found.marks.append(Mark(notice=notice, status=Status.DROPPED, reason="no number that takes texts"))
        return
    if (end := NIGHT.quiet_end(facts.now)) is not None:
        found.marks.append(Mark(notice=notice, status=Status.WAITING, reason="night", counts=False, next_try_at=end))
        return
    words = rendering.text_message(notice.kind, seen, language=user.language)
    found.to_send.append((notice, Mail(delivery.text_number, user.language, "", words, "")))


def _drop(found: Decisions, notice: Notification, reason: str) -> None:
    found.marks.append(Mark(notice=notice, status=Status.DROPPED, reason=reason, is_void=True))


def _also(notice: Notification, channel: Channel) -> Notification:
    return Notification(
        kind=notice.kind, subject=notice.subject, user_id=notice.user_id, member_id=notice.member_id, channel=channel,
        dedupe_key=f"{notice.dedupe_key}:{channel}"[:120], next_try_at=timezone.now(),
    )  # fmt: skip
