"""Interest and late fees: none at first, never above the cap, never where the rules forbid it, once, and reversible."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from bills import holds, issuing
from bills.models import Bill, ChargeRule, FinanceCharge, Hold
from ledger.chart import Code
from ledger.models import Account, Transfer
from payments import checks, finance_charges
from payments.models import PlanBill
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_payment
from tests.payments.pages import signed_in, text_of
from tests.payments.plans.making import make_plan

TODAY = dt.date(2026, 11, 5)  # October is over


@pytest.fixture
def washington(cast: Cast) -> ChargeRule:
    """Alice's household lives in Washington, where the plan charges 6 percent a year."""
    type(cast.household).objects.filter(pk=cast.household.pk).update(state="WA")
    return terms(rate_bp=600)


def terms(**fields: int) -> ChargeRule:
    """Terms of Washington (cap: 9 percent)."""
    return ChargeRule.objects.create(
        state="WA", effective_from=dt.date(2026, 1, 1), source="test",
        **({"cap_rate_bp": 900, "cap_late_fee_cents": 1_000} | fields),
    )  # fmt: skip


def late(cast: Cast, cents: int = 100_000, due: str = "2026-09-15") -> Bill:
    """A bill past due."""
    day = dt.date.fromisoformat(due)
    return make_bill(cast.alice, amount_cents=cents, due_on=day, issued_on=day - dt.timedelta(days=30))


def balance(bill: Bill) -> int:
    """What is owed now."""
    return Account.objects.get(pk=bill.receivable_id).balance_cents


def test_nothing_is_charged_unless_somebody_says_so(cast: Cast) -> None:
    """RULES 5 and 10: 0 by default, in every state that has a row, and in those that have none."""
    bills = [late(cast)]
    for state in ("CA", "NY", "CO", "VA", "WA", "OR", "MD", "GA"):
        type(cast.household).objects.filter(pk=cast.household.pk).update(state=state)
        assert finance_charges.assess(TODAY) == 0
    assert balance(bills[0]) == 100_000


@pytest.mark.usefixtures("washington")
def test_a_month_past_due_bears_a_twelfth_once(cast: Cast) -> None:
    """1,000.00 at 6 percent: 5.00 for October, whatever runs twice; for a bill due in October nothing yet."""
    bill, young = late(cast), late(cast, due="2026-10-02")
    assert [finance_charges.assess(TODAY), finance_charges.assess(TODAY + dt.timedelta(days=9))] == [1, 0]
    charge = FinanceCharge.objects.get()
    assert (charge.amount_cents, charge.base_cents, charge.month) == (500, 100_000, dt.date(2026, 10, 1))
    assert (balance(bill), balance(young)) == (100_500, 100_000)
    assert Transfer.objects.get(code=Code.FINANCE_CHARGE).reference == f"bill:{bill.number}"
    assert not checks.run(deep=True)


@pytest.mark.usefixtures("washington")
def test_interest_bears_no_interest(cast: Cast) -> None:
    """November's is of what was billed, not of October's charge."""
    bill = late(cast)
    finance_charges.assess(TODAY)
    finance_charges.assess(dt.date(2026, 12, 5))
    assert balance(bill) == 101_000


def test_a_late_fee_once_a_bill(cast: Cast) -> None:
    """However many months it is late."""
    type(cast.household).objects.filter(pk=cast.household.pk).update(state="WA")
    terms(late_fee_cents=700)
    bill = late(cast)
    for month in (11, 12):
        finance_charges.assess(dt.date(2026, month, 5))
    assert balance(bill) == 100_700


def was_on_a_plan(bill: Bill) -> None:
    """It left its plan this month: all of the month that is charged for, it was on it."""
    make_plan(bill.member, [bill])
    PlanBill.objects.update(removed_at=timezone.now(), paid_here_cents=0)
    Bill.objects.update(on_plan_since=None)


FORBIDDEN: dict[str, Callable[[Bill], object]] = {
    "on a plan": lambda bill: Bill.objects.filter(pk=bill.pk).update(on_plan_since=timezone.now()),
    "on a plan until this month": was_on_a_plan,
    "under dispute": lambda bill: holds.begin(bill, cause=Hold.Cause.DISPUTE, reference="inquiry:1"),
    "pending assistance": lambda bill: holds.begin(bill, cause=Hold.Cause.ASSISTANCE, reference="application:1"),
    "held until this month": lambda bill: holds.end([holds.begin(bill, cause=Hold.Cause.REVIEW, reference="x")]),
    "money on its way": lambda bill: make_payment({bill: 10_000}, status="processing"),
    "void": lambda bill: issuing.void(bill, on=TODAY, reason="x", actor="test"),
}


@pytest.mark.usefixtures("washington")
@pytest.mark.parametrize("why", FORBIDDEN)
def test_never_where_the_rules_forbid_it(cast: Cast, why: str) -> None:
    """RULES 5: never on plan, hold, dispute or pending assistance; nothing chases money that is on its way."""
    bill = late(cast)
    FORBIDDEN[why](bill)
    assert finance_charges.assess(TODAY) == 0


@pytest.mark.usefixtures("washington")
def test_never_on_a_premium_of_medicare(cast: Cast) -> None:
    """RULES 10: never for Medicare lines; another premium bears it."""
    for kind, charged in (("medicare_advantage", 0), ("medicare_part_d", 0), ("family", 1)):
        coverage = make_coverage(cast.alice, kind=kind)
        issuing.issue(
            member=cast.alice, kind=Bill.Kind.PREMIUM, amount_cents=50_000, title="Premium", source="test",
            source_id=kind, issued_on=dt.date(2026, 8, 10), due_on=dt.date(2026, 9, 1), coverage=coverage,
            period=dt.date(2026, 9, 1),
        )  # fmt: skip
        assert finance_charges.assess(TODAY) == charged


def test_virginia_waits_ninety_days(cast: Cast) -> None:
    """§59.1-612: no interest until 90 days after the due date, and the month is one after that."""
    type(cast.household).objects.filter(pk=cast.household.pk).update(state="VA")
    ChargeRule.objects.create(
        state="VA", effective_from=dt.date(2026, 1, 1), rate_bp=300, cap_rate_bp=300, cap_late_fee_cents=0,
        after_days=90, source="test",
    )  # fmt: skip
    late(cast, due="2026-07-03")
    assert [finance_charges.assess(dt.date(2026, 10, 5)), finance_charges.assess(TODAY)] == [0, 0]
    late(cast, due="2026-07-01")
    assert finance_charges.assess(dt.date(2026, 12, 5)) == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "WA", "rate_bp": 901, "cap_rate_bp": 900},
        {"state": "WA", "rate_bp": 0, "cap_rate_bp": 901},
        {"state": "NY", "cap_rate_bp": 201},
        {"state": "CO", "cap_rate_bp": 301},
        {"state": "VA", "cap_rate_bp": 300, "after_days": 89},
        {"state": "CA", "cap_rate_bp": 1},
        {"state": "MD", "cap_rate_bp": 0, "cap_late_fee_cents": 1},
        {"state": "WA", "cap_rate_bp": 900, "late_fee_cents": 1, "cap_late_fee_cents": 0},
    ],
)
@pytest.mark.django_db
def test_the_database_refuses_terms_above_the_cap(fields: dict[str, int]) -> None:
    """RULES 5: the table only caps what an operator may configure; no cap is above the law's."""
    with pytest.raises(IntegrityError), transaction.atomic():
        ChargeRule.objects.create(
            **({"cap_late_fee_cents": 0} | fields), effective_from=dt.date(2026, 3, 1), source="test"
        )


@pytest.mark.usefixtures("washington")
def test_it_is_taken_off_again_once_and_what_was_paid_of_it_is_credit(cast: Cast) -> None:
    """Reversible by staff; the book agrees."""
    bill = late(cast)
    finance_charges.assess(TODAY)
    make_payment({bill: 100_200})
    charge = FinanceCharge.objects.get()
    done = [finance_charges.waive(charge, on=TODAY, actor="test", reason="a kindness") for _twice in range(2)]
    credit_id = cast.household.credit_id
    assert (done, balance(bill), Account.objects.get(pk=credit_id).balance_cents) == ([True, False], 0, -200)
    assert finance_charges.assess(TODAY) == 0
    assert not checks.run(deep=True)


@pytest.mark.usefixtures("washington")
def test_the_bill_says_why(cast: Cast) -> None:
    """The rate, the month and what it was of, on the bill's page."""
    bill = late(cast)
    finance_charges.assess(TODAY)
    page = text_of(signed_in(cast.alice).get(f"/bills/{bill.number}/"))
    assert "Interest for October 2026: 6% a year on $1,000.00 that was past due all month" in page


@pytest.mark.usefixtures("washington")
def test_the_command_charges_and_refuses_nonsense(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """`assess_finance_charges --date`."""
    late(cast)
    call_command("assess_finance_charges", "--date", "2026-11-05")
    assert "1 charges made" in capsys.readouterr().out
    for date in ("tomorrow", "2099-01-01"):
        with pytest.raises(Exception, match="--date"):
            call_command("assess_finance_charges", "--date", date)
