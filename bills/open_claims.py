"""A bill whose claim is not decided yet is not due: held while the claim is open, and let go on once it is decided.

That is every bill that the check compares with the claim: also a biller's bill of its number, or of its service.
"""

from collections.abc import Collection, Iterable

from django.db.models import Q

from bills import compared, holds
from bills.models import Bill, Claim, Hold, HoldQuerySet

MAX_AT_ONCE = 1_000


def keep(claims: Iterable[Claim]) -> int:
    """Hold the bills of open claims, and end the holds of those decided; how many holds began or ended.

    With them the open claims that the bills of these claims are compared with, or were until now.
    """
    ids = [claim.pk for claim in claims]
    waited_for = _standing().filter(bill__claims__in=ids).values_list("reference", flat=True)
    return _keep({*ids, *compared.neighbours(ids), *map(_claim_id, waited_for)})


def keep_all() -> int:
    """What `keep` does, for every claim that is open or whose hold stands; how many holds began or ended."""
    held = {_claim_id(reference) for reference in _standing().values_list("reference", flat=True)}
    claims = Claim.objects.filter(Q(status=Claim.Status.OPEN) | Q(pk__in=held)).order_by("pk")
    changed, last = 0, 0
    while ids := list(claims.filter(pk__gt=last).values_list("pk", flat=True)[:MAX_AT_ONCE]):
        changed += _keep(ids)
        last = ids[-1]
    return changed


def _keep(claim_ids: Collection[int]) -> int:
    """Let the holds of these claims be those of the bills that are compared with them. A bill stays held throughout."""
    wanted = compared.bills_of(list(Claim.objects.filter(pk__in=claim_ids, status=Claim.Status.OPEN)))
    references = [_reference(claim_id) for claim_id in claim_ids]
    standing = {
        (_claim_id(hold.reference), hold.bill_id): hold for hold in _standing().filter(reference__in=references)
    }
    fresh = sorted(wanted - standing.keys(), key=lambda pair: (pair[1], pair[0]))  # one order of locks
    bills = Bill.objects.in_bulk([bill_id for _of, bill_id in fresh])
    for claim_id, bill_id in fresh:
        holds.begin(bills[bill_id], cause=Hold.Cause.CLAIM_OPEN, reference=_reference(claim_id))
    return len(fresh) + holds.end(hold for pair, hold in standing.items() if pair not in wanted)


def _standing() -> HoldQuerySet:
    return Hold.objects.standing().filter(cause=Hold.Cause.CLAIM_OPEN, reference__startswith="claim:")


def _reference(claim_id: int) -> str:
    return f"claim:{claim_id}"


def _claim_id(reference: str) -> int:
    return int(reference.removeprefix("claim:"))
