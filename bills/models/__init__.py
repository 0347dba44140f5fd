"""What members owe and why: bills and their lines, holds, claims and theirs, estimates, and what imports brought."""

from bills.models.bills import Bill, BillLine, BillQuerySet
from bills.models.charges import ChargeRule, ChargeRuleQuerySet, FinanceCharge, FinanceChargeQuerySet
from bills.models.claims import Accumulator, AccumulatorQuerySet, Claim, ClaimLine, ClaimQuerySet
from bills.models.estimates import Estimate, EstimateQuerySet
from bills.models.grace import GracePeriod, GracePeriodQuerySet, GraceRule, Product
from bills.models.holds import Hold, HoldQuerySet
from bills.models.imports import ImportBatch, ImportReject
from bills.models.statements import Statement, StatementOpening, StatementQuerySet

__all__ = [
    "Accumulator",
    "AccumulatorQuerySet",
    "Bill",
    "BillLine",
    "BillQuerySet",
    "ChargeRule",
    "ChargeRuleQuerySet",
    "Claim",
    "ClaimLine",
    "ClaimQuerySet",
    "Estimate",
    "EstimateQuerySet",
    "FinanceCharge",
    "FinanceChargeQuerySet",
    "GracePeriod",
    "GracePeriodQuerySet",
    "GraceRule",
    "Hold",
    "HoldQuerySet",
    "ImportBatch",
    "ImportReject",
    "Product",
    "Statement",
    "StatementOpening",
    "StatementQuerySet",
]
