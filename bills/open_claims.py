"""A bill whose claim is not decided yet is not due: held while the claim is open, and let go on once it is decided."""

from collections.abc import Iterable

from django.db.models import Q

from bills import holds
from bills.models import Bill, Claim, Hold

MAX_AT_ONCE = 5_000


def keep(claims: Iterable[Claim]) -> int:
    """Hold the bills of open claims, and end the holds of those decided; how many holds began or ended."""
    changed = 0
    for claim in claims:
        reference = f"claim:{claim.pk}"
        standing = Hold.objects.standing().filter(cause=Hold.Cause.CLAIM_OPEN, reference=reference)
        if claim.status != Claim.Status.OPEN or claim.bill_id is None:
            changed += holds.end(standing)
        elif not standing.exists():
            holds.begin(Bill.objects.get(pk=claim.bill_id), cause=Hold.Cause.CLAIM_OPEN, reference=reference)
            changed += 1
    return changed


def keep_all() -> int:
    """What `keep` does, for every claim that is open or whose hold stands; how many holds began or ended."""
    held = Hold.objects.standing().filter(cause=Hold.Cause.CLAIM_OPEN, reference__startswith="claim:")
    ids = [int(reference.removeprefix("claim:")) for reference in held.values_list("reference", flat=True)]
    claims = Claim.objects.filter(Q(status=Claim.Status.OPEN, bill__isnull=False) | Q(pk__in=ids)).order_by("pk")
    return keep(claims[:MAX_AT_ONCE])
