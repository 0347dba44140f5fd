"""Settling what an import did not take: a person looked, and says what was done."""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from activity.recording import record
from bills.models import ImportReject


class AlreadyResolved(Exception):
    """Somebody was quicker."""


@transaction.atomic
def resolve(reject: ImportReject, *, by: User, resolution: str) -> None:
    """Close a reject with what was done about it; the record itself is not taken by this. Raises AlreadyResolved."""
    changed = ImportReject.objects.filter(pk=reject.pk, resolved_at__isnull=True).update(
        resolved_at=timezone.now(), resolved_by=by, resolution=resolution
    )
    if not changed:
        raise AlreadyResolved(f"reject {reject.pk} is settled already")
    record("import.reject_resolved", subject=f"reject:{reject.pk}", actor=f"user:{by.pk}", reason=resolution)
