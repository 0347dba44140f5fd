"""Sending the mails about signing in, after commit and outside any request (DESIGN section 2)."""

import datetime as dt
import logging

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.utils import timezone

from accounts.models import Mail
from activity import doorbell

logger = logging.getLogger(__name__)

MAX_TRIES = 5
FIRST_PAUSE = dt.timedelta(minutes=1)
BATCH = 100
SEND_TASK = "accounts.tasks.send_mails"


def queue(*, address: str, subject: str, text: str, html: str = "") -> Mail:
    """Write a mail into the table; a worker sends it once the present transaction has committed."""
    mail = Mail.objects.create(address=address, subject=subject[:200], text=text, html=html)
    doorbell.ring(SEND_TASK)
    return mail


def send_waiting() -> int:
    """Send what waits and is due, oldest first; return how many were sent. Two workers do not send one mail twice."""
    due = Mail.objects.waiting().filter(next_try_at__lte=timezone.now()).order_by("id")
    return sum(_send(pk) for pk in list(due.values_list("pk", flat=True)[:BATCH]))


def _send(mail_id: int) -> bool:
    """Claim the mail by moving its next try, commit that, then speak to the server."""
    with transaction.atomic():
        mail = Mail.objects.waiting().select_for_update(skip_locked=True).filter(pk=mail_id).first()
        if mail is None or mail.next_try_at > timezone.now():
            return False
        mail.tries += 1
        mail.next_try_at = timezone.now() + FIRST_PAUSE * 2 ** (mail.tries - 1)
        mail.save(update_fields=["tries", "next_try_at"])
    message = EmailMultiAlternatives(mail.subject, mail.text, settings.DEFAULT_FROM_EMAIL, [mail.address])
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    try:
        get_connection().send_messages([message])
    except OSError as error:  # smtplib's errors are OSErrors
        logger.warning("mail %s was not taken (%s), try %s", mail.pk, type(error).__name__, mail.tries)
        if mail.tries >= MAX_TRIES:
            _close(mail, given_up_at=timezone.now())
        return False
    _close(mail, sent_at=timezone.now())
    return True


def _close(mail: Mail, **ended: dt.datetime) -> None:
    Mail.objects.filter(pk=mail.pk).update(text="", html="", **ended)
