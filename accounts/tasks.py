"""What accounts does outside a request."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from accounts import departures, mailing, teens
from accounts.uploads import keeping


@shared_task
def send_mails() -> int:
    """Send the mails about signing in that wait."""
    return mailing.send_waiting()


@shared_task
def clear_ended_sessions() -> None:
    """Delete sessions past their end; a session past its limits is refused whether or not it was deleted."""
    call_command("clearsessions")


@shared_task
def scan_uploads() -> int:
    """Scan the files of members that wait, and release the clean ones."""
    return keeping.scan_waiting()


@shared_task
def delete_expired_uploads() -> int:
    """Delete the files of members whose time has come."""
    return keeping.delete_expired(timezone.localdate())


@shared_task
def foresee_coming_of_age() -> int:
    """Write down who comes of age soon, and have it told; end what lets others see who has become a teenager."""
    today = timezone.localdate()
    return departures.foresee_all(today) + teens.end_due(today)
