"""What assistance does by itself."""

from celery import shared_task
from django.utils import timezone

from assistance import awarding, charity, correcting, ending, holding, refunding


@shared_task
def keep_up() -> int:
    """Bills that came in or were corrected: held for a pending application, lowered by an award. Harmless to repeat."""
    today = timezone.localdate()
    held = holding.let_go_left_over() + holding.hold_new()
    return held + awarding.cover_new_bills(today) + correcting.run(today)


@shared_task
def refund_overpaid() -> int:
    """What awards made overpaid goes back to who paid it. Harmless to repeat."""
    return refunding.run()


@shared_task
def tell_of_ends() -> int:
    """Let awards that follow others begin, and tell ahead of the end of awards and subsidies."""
    today = timezone.localdate()
    return charity.begin_due(today) + ending.tell(today)
