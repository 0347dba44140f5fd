"""A confidential member lets the account holder see and pay one bill (DESIGN section 7)."""

from django.utils import timezone

from accounts.visibility import Scope
from activity.recording import record
from bills.models import Bill
from ledger.transactions import atomic_with_retry


def can_share(bill: Bill, scope: Scope) -> bool:
    """Whether the viewer is the member whose bill it is, and the holder does not see it by holding."""
    return bill.member.is_apart and bill.member_id in scope.own_ids


@atomic_with_retry
def set_shared(bill: Bill, *, is_shared: bool, actor: str) -> None:
    """Share the bill with the account holder, or end that. A repeat changes nothing and records nothing."""
    changed = Bill.objects.filter(pk=bill.pk, shared_at__isnull=is_shared).update(
        shared_at=timezone.now() if is_shared else None
    )
    if changed:
        kind = "bill.shared" if is_shared else "bill.unshared"
        record(kind, subject=f"bill:{bill.number}", owner_id=bill.household_id, actor=actor, bill_id=bill.pk)
