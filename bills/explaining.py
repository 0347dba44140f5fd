"""Why a bill is what it is: from what was charged, step by step, to what is owed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from bills.models import Bill, BillLine, Claim


@dataclass(frozen=True, slots=True)
class Row:
    """One step, US cents; negative where it lowers the amount."""

    label: str
    cents: int
    note: str = ""
    is_total: bool = False

    @property
    def abs_cents(self) -> int:
        """The amount without its sign."""
        return abs(self.cents)


def waterfall(bill: Bill, lines: Sequence[BillLine], claims: Sequence[Claim] = ()) -> list[Row]:
    """The steps from the charge to what is owed now. Premiums: their lines; medical: by whom which part is borne.

    Every step is in the rows: those above a total sum to it.
    """
    if bill.kind == Bill.Kind.PREMIUM:
        rows = [Row(_(line.description), line.amount_cents) for line in lines]  # gettext_noop in bills.premiums
        share = sum(line.amount_cents for line in lines)
    else:
        parts: Sequence[BillLine | Claim] = lines if any(line.charged_cents for line in lines) else claims
        rows = _medical(bill, parts)
        share = sum(line.amount_cents for line in lines) or bill.amount_cents
    return rows + _since(bill, share, has_steps=bool(rows))


def _medical(bill: Bill, parts: Sequence[BillLine | Claim]) -> list[Row]:
    return borne(parts, bill.provider_name)


def borne(parts: Sequence[BillLine | Claim], who: str) -> list[Row]:
    """Who bore which part of what `who` charged, then what the member's share consists of."""
    charged = sum(part.billed_cents if isinstance(part, Claim) else part.charged_cents for part in parts)
    if not charged:
        return []
    steps = [
        Row(_("%(provider)s charged") % {"provider": who} if who else _("Charged"), charged),
        Row(_("Your plan’s discount"), -_sum(parts, "discount_cents")),
        Row(_("Your plan paid"), -_sum(parts, "plan_paid_cents")),
        Row(_("Other insurance paid"), -_sum(parts, "other_paid_cents")),
        Row(_("Deductible"), _sum(parts, "deductible_cents"), _("Your part before the plan begins to pay")),
        Row(_("Copayment"), _sum(parts, "copay_cents"), _("A fixed amount for this service")),
        Row(_("Coinsurance"), _sum(parts, "coinsurance_cents"), _("Your percentage of the cost")),
        Row(_("Not covered"), _sum(parts, "not_covered_cents"), _("Your plan does not pay for this")),
    ]
    return [step for step in steps if step.cents]


def _since(bill: Bill, share: int, *, has_steps: bool) -> list[Row]:
    """The totals: the share, what changed since, and what is owed."""
    owed = Row(_("You owe"), bill.balance_cents, is_total=True)
    if share == bill.balance_cents:
        return [owed]
    first = Row(_("Your share"), share, is_total=has_steps)
    return [first, Row(_("Payments and corrections since"), bill.balance_cents - share), owed]


def _sum(parts: Iterable[BillLine | Claim], column: str) -> int:
    return sum(getattr(part, column) for part in parts)
