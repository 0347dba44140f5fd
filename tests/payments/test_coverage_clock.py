"""The coverage clock by product: how long grace lasts, what then stops, and what cures it. Rules: RULES section 4."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Coverage
from bills.grace_rules import holding
from bills.models import GraceRule, Product
from payments import coverage_clock
from payments.coverage_clock import Month, State

pytestmark = pytest.mark.django_db
START = dt.date(2026, 1, 1)


def day(text: str) -> dt.date:
    """A date of 2026, or another year where it says so."""
    return dt.date.fromisoformat(text if len(text) == 10 else f"2026-{text}")


def month(number: int, owed: int = 50_000, *, waiting: int = 0, held: bool = False, issued: str = "") -> Month:
    """A month of 2026, due on its first."""
    first = dt.date(2026, number, 1)
    on = day(issued) if issued else first - dt.timedelta(days=20)
    return Month(first, on, max(first, on), 50_000, owed, waiting, held, f"bill-{number}")


def rule(product: str, state: str = "", on: str = "11-01") -> GraceRule:
    """The rule of the table that holds."""
    return holding(list(GraceRule.objects.all()), product, state, on=day(on))


def span(of: GraceRule, late: Month, noticed: str) -> coverage_clock.Span:
    """The grace of a late month, told of on a day."""
    return coverage_clock.span(of, late, starts_on=START, noticed_on=day(noticed))


def test_with_a_tax_credit_three_calendar_months_and_the_end_after_the_first() -> None:
    """45 CFR 156.270(d)-(g): ends on the last day of month 1, claims of months 2 and 3 may wait."""
    found = span(rule(Product.MARKETPLACE), month(2), "02-03")
    assert (found.began_on, found.ends_on) == (day("02-01"), day("04-30"))
    assert (found.cover_ends_on, found.claims_wait_from) == (day("02-28"), day("03-01"))


def test_in_a_leap_year_the_first_month_ends_on_the_29th() -> None:
    """Month arithmetic is end-of-month safe (RULES section 11)."""
    late = Month(day("2028-02-01"), day("2028-01-12"), day("2028-02-01"), 50_000, 50_000)
    found = span(rule(Product.MARKETPLACE), late, "2028-02-02")
    assert (found.cover_ends_on, found.ends_on) == (day("2028-02-29"), day("2028-04-30"))


def test_without_it_31_days_from_the_due_date_and_30_in_maine() -> None:
    """State law, commonly 31 days; Maine 30. Calendar days, over a weekend and the change of the clocks."""
    assert span(rule(Product.INDIVIDUAL), month(11), "11-03").ends_on == day("12-02")
    assert span(rule(Product.INDIVIDUAL, "ME"), month(11), "11-03").ends_on == day("12-01")
    assert span(rule(Product.INDIVIDUAL), month(3), "03-03").ends_on == day("04-01")


def test_in_california_thirty_days_from_the_date_of_the_notice() -> None:
    """H&S 1365, 28 CCR 1300.65: not before the day after the last day that is paid for; covered throughout."""
    california = rule(Product.INDIVIDUAL, "CA")
    late = span(california, month(11), "11-09")
    assert (late.began_on, late.ends_on, late.cover_ends_on) == (day("11-09"), day("12-09"), day("12-09"))
    early = span(california, month(12, issued="11-10"), "11-20")
    assert (early.began_on, early.ends_on) == (day("12-01"), day("12-31"))


def test_medicare_two_whole_calendar_months_from_the_later_of_two_days() -> None:
    """42 CFR 422.74(d), 423.44(d): from the first of the unpaid month, or of the month after the bill."""
    for product in (Product.MEDICARE_ADVANTAGE, Product.MEDICARE_PART_D):
        assert span(rule(product), month(7), "07-03").ends_on == day("08-31")
        late = span(rule(product), month(7, issued="07-15"), "07-17")
        assert (late.began_on, late.ends_on) == (day("08-01"), day("09-30"))


def test_cobra_has_45_days_at_first_then_30() -> None:
    """26 CFR 54.4980B-8: 45 days after the election, then 30; unpaid, cover goes back to what is paid for."""
    first = span(rule(Product.COBRA_FIRST), month(1), "01-03")
    assert (first.ends_on, first.cover_ends_on) == (day("02-15"), START)
    later = span(rule(Product.COBRA), month(6), "06-02")
    assert (later.ends_on, later.cover_ends_on) == (day("07-01"), day("05-31"))


def test_cobras_insignificant_shortfall_counts_as_paid() -> None:
    """The lesser of $50 and 10 percent (26 CFR 54.4980B-8, Q&A 5(b)); a cent more is late."""
    cobra = rule(Product.COBRA)
    state_of = {}
    for owed in (5_000, 5_001):
        state_of[owed] = coverage_clock.read([month(5, 0), month(6, owed)], cobra, today=day("06-20")).state
    assert state_of == {5_000: State.PAID, 5_001: State.GRACE}
    small = Month(day("06-01"), day("05-12"), day("06-01"), 20_000, 2_001)
    assert not small.is_covered(cobra)
    assert not month(6, 100).is_covered(rule(Product.INDIVIDUAL))


@pytest.mark.parametrize(
    ("kind", "subsidy", "paid", "product"),
    [
        ("family", 10_000, True, Product.MARKETPLACE),
        ("family", 10_000, False, Product.INDIVIDUAL),
        ("family", 0, True, Product.INDIVIDUAL),
        ("medigap", 0, True, Product.MEDIGAP),
        ("cobra", 0, False, Product.COBRA_FIRST),
        ("cobra", 0, True, Product.COBRA),
        ("charitable", 0, True, Product.CHARITABLE),
        ("medicare_part_d", 0, True, Product.MEDICARE_PART_D),
    ],
)
def test_which_product_a_coverage_is(kind: str, subsidy: int, paid: bool, product: str) -> None:  # noqa: FBT001
    """The three months are for who paid a whole month of the benefit year (45 CFR 156.270(d))."""
    coverage = Coverage(kind=kind, subsidy_cents=subsidy, start_on=START)
    months = [month(1, 0 if paid else 50_000), month(2)]
    assert coverage_clock.product_of(coverage, months, months[1]) == product


def test_money_on_its_way_is_no_grace() -> None:
    """A payment that the bank has counts: nothing runs, and nothing is to be cured."""
    clock = coverage_clock.read(
        [month(9, 0), month(10, 50_000, waiting=50_000)], rule(Product.INDIVIDUAL), today=day("10-20")
    )
    assert (clock.state, clock.cure, clock.paid_through) == (State.WAITING, (), day("10-31"))


def test_what_is_under_review_does_not_run() -> None:
    """A held month is no grace; another that is late is."""
    individual = rule(Product.INDIVIDUAL)
    held = coverage_clock.read([month(10, held=True)], individual, today=day("10-20"))
    both = coverage_clock.read([month(10, held=True), month(11)], individual, today=day("11-20"))
    assert (held.state, both.state, both.cure_cents) == (State.REVIEW, State.GRACE, 50_000)


def test_what_cures_it_is_all_that_is_due_and_nothing_ahead() -> None:
    """Two late months and one that is not due yet: what is on its way is left out."""
    months = [month(9, 0), month(10, 50_000, waiting=20_000), month(11), month(12)]
    clock = coverage_clock.read(months, rule(Product.INDIVIDUAL), today=day("11-25"))
    assert (clock.cure_cents, [each.number for each in clock.cure]) == (80_000, ["bill-10", "bill-11"])
    assert clock.paid_through == day("09-30")


def test_due_on_a_weekend_is_in_time_on_monday() -> None:
    """1 November 2026 is a Sunday: late from Tuesday on (RULES section 11, FAULTS E26)."""
    individual = rule(Product.INDIVIDUAL)
    assert coverage_clock.read([month(11)], individual, today=day("11-02")).state is State.DUE
    assert coverage_clock.read([month(11)], individual, today=day("11-03")).state is State.GRACE


def test_nobodys_coverage_ends_sooner_than_ten_days_after_the_notice() -> None:
    """After an outage the notice is late; the member has days all the same."""
    assert span(rule(Product.INDIVIDUAL), month(3), "06-15").ends_on == day("06-25")


def test_the_latest_rule_of_the_state_holds_from_its_day_on() -> None:
    """A rule that changes is a row more: what began before keeps its own."""
    GraceRule.objects.create(
        product=Product.INDIVIDUAL, state="OR", counts_from="due", days=40, cover_ends="grace_end",
        effective_from=day("07-01"), source="test",
    )  # fmt: skip
    assert [rule(Product.INDIVIDUAL, "OR", on).days for on in ("06-30", "07-01")] == [31, 40]
    assert rule(Product.INDIVIDUAL, "WA").days == 31


def test_a_month_older_than_every_rule_keeps_the_first() -> None:
    """A premium left open for years is shown like another; only a product without rules has no answer."""
    first = GraceRule.objects.create(
        product=Product.INDIVIDUAL, state="OR", counts_from="due", days=40, cover_ends="grace_end",
        effective_from=day("07-01"), source="test",
    )  # fmt: skip
    assert rule(Product.INDIVIDUAL, "WA", "2015-12-05").days == 31
    assert rule(Product.INDIVIDUAL, "OR", "2015-12-05") == first
    with pytest.raises(LookupError):
        rule("dental", "OR", "2015-12-05")


@pytest.mark.parametrize(
    "fields",
    [
        {"product": "marketplace", "counts_from": "month", "months": 2, "needs_all": True},
        {"product": "marketplace", "counts_from": "month", "months": 3, "needs_all": False},
        {"product": "medicare_part_d", "counts_from": "bill", "months": 1},
        {"product": "cobra", "counts_from": "due", "days": 29},
        {"product": "cobra_first", "counts_from": "start", "days": 44},
        {"product": "individual", "state": "CA", "counts_from": "notice", "days": 29},
        {"product": "individual", "state": "CA", "counts_from": "due", "days": 31},
        {"product": "medigap", "counts_from": "due"},
        {"product": "cobra", "counts_from": "due", "days": 30, "shortfall_cents": 5_000},
    ],
)
def test_the_database_refuses_a_rule_below_the_law(fields: dict[str, object]) -> None:
    """45 CFR 156.270(d), 42 CFR 422.74(d), 26 CFR 54.4980B-8, H&S 1365: no operator can shorten them."""
    with pytest.raises(IntegrityError), transaction.atomic():
        GraceRule.objects.create(**fields, cover_ends="grace_end", effective_from=day("10-01"), source="test")
