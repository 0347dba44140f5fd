"""Which claims of the plan a bill is compared with: its own, else those of its number or its service; and the reverse.

A bill that is flagged because its claim is open waits for that claim: the check and the hold ask the same question.
"""

from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import Q

from bills.explained_claims import Kind
from bills.models import Bill, Claim

STANDING = (Claim.Status.ACTIVE, Claim.Status.OPEN)
MAX_CLAIMS = 20  # of one bill

# What may be: the bills of a claim's number, and of its member, day and provider. `claims_of` says which are.
CANDIDATES = """
    SELECT c.id, b.id FROM bills_claim c
      JOIN bills_claim o ON o.number = c.number AND o.member_id = c.member_id
      JOIN bills_bill b ON b.id = o.bill_id
     WHERE c.id = ANY(%s) AND b.voided_at IS NULL
    UNION
    SELECT c.id, b.id FROM bills_claim c
      JOIN bills_bill b ON b.member_id = c.member_id AND b.service_on = c.service_on AND b.kind = 'medical'
     WHERE c.id = ANY(%s) AND c.bill_id IS NULL AND b.voided_at IS NULL
       AND upper(b.provider_name) = upper(c.provider_name)
"""
# Open claims that the bills of these claims may be compared with.
NEIGHBOURS = """
    SELECT x.id FROM bills_claim c JOIN bills_claim x ON x.number = c.number AND x.member_id = c.member_id
     WHERE c.id = ANY(%s) AND x.status = 'open'
    UNION
    SELECT x.id FROM bills_claim c JOIN bills_bill b ON b.id = c.bill_id
      JOIN bills_claim x ON x.member_id = b.member_id AND x.service_on = b.service_on
     WHERE c.id = ANY(%s) AND x.status = 'open' AND x.bill_id IS NULL
"""


def own_claims(bill: Bill) -> list[Claim]:
    """The claims that a bill is for."""
    return list(bill.claims.filter(status__in=STANDING).order_by("service_on", "pk")[:MAX_CLAIMS])


def claims_of(bill: Bill, own: Sequence[Claim]) -> Sequence[Claim]:
    """The claims that the plan worked out for what is billed: of the bill itself, else of its number or its service.

    A row of a biller's file, or an invoice, is kept as a claim too, but says nothing that its bill does not say.
    """
    worked_out = [claim for claim in own if claim.kind in Kind.values or claim.status == Claim.Status.OPEN]
    if worked_out or bill.service_on is None:
        return worked_out
    of_service = Q(service_on=bill.service_on, provider_name__iexact=bill.provider_name, bill__isnull=True)
    wanted = Q(number__in=[claim.number for claim in own]) | (of_service if bill.provider_name else Q(pk__in=[]))
    others = Claim.objects.filter(wanted, member_id=bill.member_id, status__in=STANDING, kind__in=Kind.values)
    return list(others.order_by("service_on", "pk")[:MAX_CLAIMS])


def bills_of(claims: Collection[Claim]) -> set[tuple[int, int]]:
    """The bills that are compared with these claims, as pairs of the ids of claim and bill."""
    if not claims:
        return set()
    own = {claim.pk: claim.bill_id for claim in claims}
    found = {(claim_id, bill_id) for claim_id, bill_id in _fetch(CANDIDATES, list(own))}
    mine = {pair for pair in found if own[pair[0]] == pair[1]}
    others = found - mine
    compared: dict[int, set[int]] = {
        bill.pk: {claim.pk for claim in claims_of(bill, own_claims(bill))}
        for bill in Bill.objects.filter(pk__in={bill_id for _claim_id, bill_id in others})
    }
    return mine | {(claim_id, bill_id) for claim_id, bill_id in others if claim_id in compared[bill_id]}


def neighbours(claim_ids: Collection[int]) -> set[int]:
    """The ids of open claims that the bills of these claims may be compared with."""
    return {row[0] for row in _fetch(NEIGHBOURS, list(claim_ids))} if claim_ids else set()


def _fetch(sql: str, ids: list[int]) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [ids, ids])
        return list(cursor.fetchall())
