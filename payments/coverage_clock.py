"""The coverage clock: through which day a coverage is paid, how long grace lasts, what then stops, and what cures it.

A pure computation over the months of one coverage. A payment on its way counts as paid: nothing ends, and nobody is
told of grace, while the bank has the money (RULES section 4). Grace counts calendar days and calendar months.
"""

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accounts.aids import SUBSIDY
from accounts.models import Coverage
from bills.banking_days import next_banking_day
from bills.models import Bill, GraceRule, Product

# Whatever a rule says, nobody's coverage ends sooner than so many days after the notice that tells of it: after an
# outage the notice is late, and the member must not pay for that.
LEAST_DAYS_AFTER_NOTICE = 10
PRODUCTS = {
    Coverage.Kind.MEDICARE_ADVANTAGE: Product.MEDICARE_ADVANTAGE,
    Coverage.Kind.MEDICARE_PART_D: Product.MEDICARE_PART_D,
    Coverage.Kind.MEDIGAP: Product.MEDIGAP,
    Coverage.Kind.COBRA: Product.COBRA,
    Coverage.Kind.CHARITABLE: Product.CHARITABLE,
}


class State(StrEnum):
    """Where a coverage stands with its premiums."""

    PAID = "paid"  # nothing is due
    DUE = "due"  # a month is to be paid, and not late yet
    WAITING = "waiting"  # all that was late is on its way
    REVIEW = "review"  # what is late is under review: the clock stands
    GRACE = "grace"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a coverage and its bill. US cents: the member's share, what is owed of it, what is on its way."""

    period: dt.date
    issued_on: dt.date
    due_on: dt.date
    share_cents: int
    owed_cents: int
    waiting_cents: int = 0
    is_held: bool = False
    number: str = ""

    @property
    def payable_cents(self) -> int:
        """What is still to be paid: what is owed less what is on its way."""
        return max(0, self.owed_cents - self.waiting_cents)

    def is_late(self, rule: GraceRule, *, today: dt.date) -> bool:
        """Whether it is past due, by more than the rule lets be short. Paid on the next banking day is in time."""
        return next_banking_day(self.due_on) < today and not self.is_covered(rule)

    def is_covered(self, rule: GraceRule) -> bool:
        """Whether it counts as paid: COBRA's insignificant shortfall is the lesser of $50 and 10 percent."""
        short = min(rule.shortfall_cents, self.share_cents * rule.shortfall_percent // 100)
        return self.payable_cents <= short


@dataclass(frozen=True, slots=True)
class Span:
    """One grace period: its first and last day, the last day of coverage without payment, when claims begin to wait."""

    began_on: dt.date
    ends_on: dt.date
    cover_ends_on: dt.date
    claims_wait_from: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """What the premium page says. `cure` are the months to be paid so that the coverage goes on."""

    state: State
    paid_through: dt.date | None
    late: Month | None
    cure: tuple[Month, ...]

    @property
    def cure_cents(self) -> int:
        """What pays everything that is late, US cents."""
        return sum(month.payable_cents for month in self.cure)


def product_of(coverage: Coverage, months: Sequence[Month], late: Month) -> Product:
    """Which product's grace a late month has.

    The three months of a marketplace plan are for who has paid a whole month of the benefit year (45 CFR 156.270(d));
    COBRA's first payment has its own.
    """
    kind = Coverage.Kind(coverage.kind)
    paid = [month for month in months if month.share_cents > 0 and month.payable_cents == 0 and month != late]
    if kind is Coverage.Kind.COBRA and not paid:
        return Product.COBRA_FIRST
    if kind in PRODUCTS:
        return PRODUCTS[kind]
    is_subsidised = SUBSIDY.cents_on(coverage, late.period) > 0
    has_paid_this_year = any(month.period.year == late.period.year for month in paid)
    return Product.MARKETPLACE if is_subsidised and has_paid_this_year else Product.INDIVIDUAL


def read(months: Sequence[Month], rule: GraceRule, *, today: dt.date, end_on: dt.date | None = None) -> Clock:
    """Read the clock of a coverage from all its months, the earliest first."""
    open_months = [month for month in months if not month.is_covered(rule)]
    paid_through = _paid_through(months, open_months, end_on)
    late = [month for month in open_months if month.is_late(rule, today=today)]
    running = [month for month in late if not month.is_held]
    cure = tuple(month for month in open_months if not month.is_held and month.due_on <= today) if running else ()
    if end_on is not None and end_on < today:
        state = State.ENDED
    elif running:
        state = State.GRACE
    elif late:
        state = State.REVIEW
    elif any(month.waiting_cents and next_banking_day(month.due_on) < today for month in months):
        state = State.WAITING
    else:
        state = State.DUE if open_months else State.PAID
    return Clock(state, paid_through, running[0] if running else None, cure)


def first_late(months: Sequence[Month], *, today: dt.date) -> Month | None:
    """The first month that is late to the cent: what decides by which rule the coverage is read."""
    return next((month for month in months if month.payable_cents and next_banking_day(month.due_on) < today), None)


def span(rule: GraceRule, late: Month, *, starts_on: dt.date, noticed_on: dt.date) -> Span:
    """The grace that a late month has by a rule, told of on a day. `starts_on`: when the coverage began."""
    began = _began(rule, late, starts_on, noticed_on)
    ends = _last_of_month(began, rule.months - 1) if rule.months else began + dt.timedelta(days=rule.days)
    ends = max(ends, noticed_on + dt.timedelta(days=LEAST_DAYS_AFTER_NOTICE))
    cover_ends = {
        GraceRule.Ends.FIRST_MONTH: _last_of_month(began, 0),
        GraceRule.Ends.PAID_THROUGH: late.period - dt.timedelta(days=1),
        GraceRule.Ends.GRACE_END: ends,
    }[GraceRule.Ends(rule.cover_ends)]
    waits = None
    if rule.claims_wait_from_month:
        waits = _last_of_month(began, rule.claims_wait_from_month - 2) + dt.timedelta(days=1)
    return Span(began, ends, max(cover_ends, starts_on), waits)


def _began(rule: GraceRule, late: Month, starts_on: dt.date, noticed_on: dt.date) -> dt.date:
    counts = GraceRule.Counts
    if rule.counts_from == counts.NOTICE:  # and not before the day after the last day that is paid for (H&S 1365)
        return max(noticed_on, late.period)
    if rule.counts_from == counts.BILL:
        return max(late.period, _last_of_month(late.issued_on, 0) + dt.timedelta(days=1))
    return {counts.DUE: late.due_on, counts.MONTH: late.period, counts.START: starts_on}[counts(rule.counts_from)]


def _paid_through(months: Sequence[Month], open_months: Sequence[Month], end_on: dt.date | None) -> dt.date | None:
    """The last day that is paid for; None where the first month is not paid."""
    before = [month for month in months if month.period < open_months[0].period] if open_months else list(months)
    if not before:
        return None
    through = _last_of_month(before[-1].period, 0)
    return min(through, end_on) if end_on is not None else through


def _last_of_month(day: dt.date, months: int) -> dt.date:
    """The last day of the month so many months after that of a day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def month_of(bill: Bill, *, waiting_cents: int) -> Month:
    """A premium bill as a month. `receivable` is to be loaded with it."""
    assert bill.period is not None
    return Month(
        period=bill.period, issued_on=bill.issued_on, due_on=bill.due_on, share_cents=bill.amount_cents,
        owed_cents=bill.balance_cents, waiting_cents=waiting_cents, is_held=bill.held_since is not None,
        number=bill.number,
    )  # fmt: skip
