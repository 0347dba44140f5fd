"""What members owe and why: bills and their lines, holds, claims and theirs, and what imports brought."""

from bills.models.bills import Bill, BillLine, BillQuerySet
from bills.models.claims import Accumulator, AccumulatorQuerySet, Claim, ClaimLine, ClaimQuerySet
from bills.models.holds import Hold, HoldQuerySet
from bills.models.imports import ImportBatch, ImportReject

__all__ = [
    "Accumulator",
    "AccumulatorQuerySet",
    "Bill",
    "BillLine",
    "BillQuerySet",
    "Claim",
    "ClaimLine",
    "ClaimQuerySet",
    "Hold",
    "HoldQuerySet",
    "ImportBatch",
    "ImportReject",
]
