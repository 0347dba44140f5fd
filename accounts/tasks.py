"""What accounts does outside a request."""

from celery import shared_task
from django.core.management import call_command

from accounts import mailing


@shared_task
def send_mails() -> int:
    """Send the mails about signing in that wait."""
    return mailing.send_waiting()


@shared_task
def clear_ended_sessions() -> None:
    """Delete sessions past their end; a session past its limits is refused whether or not it was deleted."""
    call_command("clearsessions")
