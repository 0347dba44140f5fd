"""Sending what waits, by mail. A notice is claimed by a lease that is committed before the server is spoken to.

A sender that dies between the server's yes and our mark leaves its lease to run out: the mail is then sent once more,
with the same Message-ID, and never a third time (FAULTS L04). A 4xx and a time-out are tried again, with growing
pauses; a 5xx is not (FAULTS L11).
"""

import datetime as dt
import hashlib
import logging
import smtplib
import ssl
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from notifications import rendering
from notifications.models import Notification
from notifications.rendering import Mail, NotToBeSent

logger = logging.getLogger(__name__)

BATCH = 1_000
LEASE = dt.timedelta(minutes=2)  # longer than one mail can take: each word to the server has EMAIL_TIMEOUT
FIRST_PAUSE = dt.timedelta(minutes=1)
LONGEST_PAUSE = dt.timedelta(hours=2)
MAX_TRIES = 12
REPEATED = "sent again after its sender died"
OPEN = (Notification.Status.WAITING, Notification.Status.SENDING)


class ServerAway(Exception):
    """The mail server did not take part: nothing more is tried in this run."""


def send_waiting() -> int:
    """Send what is due, the oldest first; how many were sent. Two workers never send one notice at the same time."""
    line = _Line()
    sent = 0
    try:
        for _number in range(BATCH):
            notice = _claim()
            if notice is None:
                break
            sent += _send(notice, line)
    except ServerAway as error:
        logger.warning("the mail server did not answer (%s); the rest waits", error)
    finally:
        line.close()
    return sent


@transaction.atomic
def _claim() -> Notification | None:
    """The next notice that is due, now leased to this sender."""
    now = timezone.now()
    due = Notification.objects.filter(Q(next_try_at__isnull=True) | Q(next_try_at__lte=now), status__in=OPEN)
    while notice := due.select_for_update(skip_locked=True).order_by("pk").first():
        if notice.status == Notification.Status.SENDING:
            if notice.reason == REPEATED:
                _close(notice, Notification.Status.FAILED, "its sender died twice")
                continue
            notice.reason = REPEATED
        notice.status = Notification.Status.SENDING
        notice.tries += 1
        notice.next_try_at = now + LEASE
        notice.save(update_fields=["status", "reason", "tries", "next_try_at"])
        return notice
    return None


def _send(notice: Notification, line: "_Line") -> bool:
    """Render and send one notice, and mark what came of it. Raises ServerAway."""
    try:
        mail = rendering.render(notice)
        line.send(_message(notice, mail))
    except NotToBeSent as reason:
        return _close(notice, Notification.Status.DROPPED, str(reason))
    except ValueError:  # Django refuses a header of more than one line (FAULTS L12)
        return _close(notice, Notification.Status.FAILED, "a header could not be written")
    except smtplib.SMTPRecipientsRefused as refusal:
        return _refused(notice, max(code for code, _words in refusal.recipients.values()))
    except smtplib.SMTPDataError as refusal:
        return _refused(notice, refusal.smtp_code)
    except (OSError, smtplib.SMTPException) as error:  # no connection, no TLS, no sign-in, or silence
        _later(notice, type(error).__name__)
        raise ServerAway(type(error).__name__) from error
    return _close(
        notice,
        Notification.Status.SENT,
        notice.reason,
        sent_at=timezone.now(),
        address=mail.address,
        language=mail.language,
    )


def _refused(notice: Notification, code: int) -> bool:
    """The server refused this one mail: for good with a 5xx, for now with a 4xx."""
    if code >= 500:
        return _close(notice, Notification.Status.FAILED, f"refused by the mail server ({code})")
    return _later(notice, f"put off by the mail server ({code})")


def _later(notice: Notification, reason: str) -> bool:
    if notice.tries >= MAX_TRIES:
        return _close(notice, Notification.Status.FAILED, f"given up after {notice.tries} tries: {reason}")
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (notice.tries - 1))
    kept = REPEATED if notice.reason == REPEATED else reason
    return _close(notice, Notification.Status.WAITING, kept, next_try_at=timezone.now() + pause)


def _close(notice: Notification, status: Notification.Status, reason: str, **changes: object) -> bool:
    """Mark what came of a notice, if it is still ours to mark; whether it was sent."""
    Notification.objects.filter(pk=notice.pk, tries=notice.tries).update(status=status, reason=reason[:200], **changes)
    return status == Notification.Status.SENT


def _message(notice: Notification, mail: Mail) -> EmailMultiAlternatives:
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    digest = hashlib.sha256(f"{settings.SECRET_KEY}:notice:{notice.pk}".encode()).hexdigest()[:24]
    headers = {
        "Message-ID": f"<{digest}@{host}>",  # the same for a repeat, so that a mailbox can tell
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's autoresponder answers it (FAULTS L16)
        "Content-Language": mail.language,
    }
    message = EmailMultiAlternatives(
        mail.subject, mail.text, settings.DEFAULT_FROM_EMAIL, [mail.address], headers=headers
    )
    message.attach_alternative(mail.html, "text/html")
    return message


class _Line:
    """One connection to the mail server for a run; given up at the first fault, so that none is used half open."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def send(self, message: EmailMultiAlternatives) -> None:
        """Send one message. Raises what smtplib raises, and ValueError for a header that cannot be."""
        try:
            if self._connection is None:
                self._connection = get_connection()
                self._connection.open()
                _refuse_clear_text(self._connection)
            message.connection = self._connection
            message.send()
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        standing, self._connection = self._connection, None
        if standing is not None:
            try:
                standing.close()
            except OSError:
                return


def _refuse_clear_text(connection: BaseEmailBackend) -> None:
    """Where TLS is asked for, and always in production, the line is encrypted or nothing is said on it (FAULTS L10)."""
    wants_tls = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or settings.IS_SECURE
    line = getattr(connection, "connection", None)
    if wants_tls and line is not None and not isinstance(line.sock, ssl.SSLSocket):
        raise ssl.SSLError("the line to the mail server is not encrypted")
