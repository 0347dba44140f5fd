"""Settling what an import did not take: a person looked, and says what was done."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Member, User
from activity.recording import record
from bills.models import Bill, Claim, ImportReject


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


def members_named(reject: ImportReject) -> list[Member]:
    """Whose record it may be: who it names or is, whose an earlier version of it is, and their private sides.

    A person of the same source that it only mentions counts too: rather one too many.
    """
    record: dict[str, Any] = reject.record or {}
    keys, numbers = {reject.source_id, str(record.get("needs") or "")}, set()
    for name, value in _texts(record.get("resource")):
        if name == "reference":
            keys.add(_key(value))
        elif name == "member_number":
            numbers.add(value)
    keys.discard("")
    source = {"source": reject.source, "source_id__in": keys}
    found = set(Member.objects.filter(**source).values_list("pk", flat=True))
    found |= set(Member.objects.filter(number__in=numbers).values_list("pk", flat=True))
    for earlier in (Claim, Bill):
        found |= set(earlier._default_manager.filter(**source).values_list("member_id", flat=True))
    return list(Member.objects.filter(Q(pk__in=found) | Q(private_of__in=found)).order_by("pk"))


def _key(reference: str) -> str:
    """`Type/id` of a reference, wherever it points: the last two parts of an address."""
    whole = reference.split("/_history/")[0]
    return f"Patient/{whole[9:]}" if whole.startswith("urn:uuid:") else "/".join(whole.split("/")[-2:])


def _texts(resource: Any) -> Iterator[tuple[str, str]]:
    """Every text in a record, each with the name it goes by."""
    waiting: list[tuple[str, Any]] = [("", resource)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((name, each) for each in value)
