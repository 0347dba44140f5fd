"""Issuing, correcting, adjusting and voiding a bill: every change is a transfer, nothing is edited."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

import ledger
from activity.models import Event
from bills import issuing, premiums
from bills.models import Bill
from ledger import checks
from ledger.chart import Code, SystemAccount
from ledger.models import Transfer
from ledger.opening import system_id
from tests.conftest import Cast
from tests.factories import make_coverage

ON = dt.date(2026, 10, 20)


def issue(cast: Cast, cents: int = 18_500, *, source_id: str = "1") -> Bill:
    return issuing.issue(
        member=cast.maya, kind="medical", amount_cents=cents, title="Outpatient visit", issued_on=ON,
        due_on=dt.date(2026, 11, 20), source="test", source_id=source_id,
        lines=[issuing.Line(description="Visit", amount_cents=cents)],
    )  # fmt: skip


def balance(bill: Bill) -> int:
    bill.receivable.refresh_from_db()
    return bill.balance_cents


def credit(cast: Cast) -> int:
    """What the plan owes the household, US cents."""
    assert cast.household.credit is not None
    cast.household.credit.refresh_from_db()
    return -cast.household.credit.balance_cents


def pay(bill: Bill, cents: int) -> None:
    """A paper check on a bill, US cents."""
    ledger.post(
        ledger.Posting(
            debit_id=system_id(SystemAccount.LOCKBOX), credit_id=bill.receivable_id, amount_cents=cents,
            code=Code.LOCKBOX_PAYMENT, key=f"check:{bill.pk}", reference=f"bill:{bill.number}", effective_on=ON,
            owner_id=bill.household_id,
        )
    )  # fmt: skip


def test_an_issued_bill_is_owed_and_sums_up_under_its_member(cast: Cast) -> None:
    bill = issue(cast)
    issue(cast, 2_000, source_id="2")
    cast.maya.medical_control.refresh_from_db()
    assert balance(bill) == 18_500
    assert cast.maya.medical_control.balance_cents == 20_500
    assert Event.objects.filter(kind="bill.issued", subject=f"bill:{bill.number}").count() == 1


def test_the_same_record_is_billed_once(cast: Cast) -> None:
    issue(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        issue(cast)
    assert Bill.objects.count() == 1


def test_a_correction_moves_the_balance_and_leaves_the_bill_as_issued(cast: Cast) -> None:
    bill = issue(cast)
    issuing.correct(bill, by_cents=-5_000, key="c1", on=ON, reason="claim corrected")
    issuing.correct(bill, by_cents=1_500, key="c2", on=ON, reason="claim corrected")
    issuing.correct(bill, by_cents=1_500, key="c2", on=ON, reason="claim corrected")
    assert balance(bill) == 15_000
    assert issuing.charged_cents(bill) == 15_000
    assert Bill.objects.get().amount_cents == 18_500


def test_what_is_lowered_beyond_the_balance_becomes_household_credit(cast: Cast) -> None:
    """FAULTS A23 for medical bills: the difference is credit, history is unchanged."""
    bill = issue(cast)
    pay(bill, 10_000)
    issuing.correct(bill, by_cents=-10_000, key="c", on=ON, reason="claim corrected")
    assert (balance(bill), credit(cast)) == (0, 1_500)
    assert Transfer.objects.filter(reference=f"bill:{bill.number}").count() == 4


def test_a_correction_repeated_is_made_and_recorded_once(cast: Cast) -> None:
    """FAULTS A02: also where the balance is less than the correction by now; nothing becomes credit then."""
    bill = issue(cast)
    for _ in range(2):
        issuing.correct(bill, by_cents=-10_000, key="down", on=ON, reason="claim corrected")
        issuing.correct(bill, by_cents=500, key="up", on=ON, reason="claim corrected")
    assert (balance(bill), credit(cast)) == (9_000, 0)
    assert Event.objects.filter(kind="bill.corrected").count() == 2
    with pytest.raises(ledger.KeyReused):
        issuing.correct(bill, by_cents=-9_999, key="down", on=ON, reason="claim corrected")


def test_an_adjustment_repeated_is_made_and_recorded_once(cast: Cast) -> None:
    """Also where less is owed by now than was taken off."""
    bill = issue(cast)
    for _ in range(2):
        issuing.adjust(bill, amount_cents=10_000, key="a", on=ON, reason="goodwill", actor="user:1")
    assert balance(bill) == 8_500
    assert Event.objects.filter(kind="bill.adjusted").count() == 1


def test_what_the_plan_took_off_never_becomes_the_members_credit(cast: Cast) -> None:
    """Of $185.00, $100.00 adjusted and $50.00 paid: lowered by $90.00, the member has $50.00 back and no more."""
    bill = issue(cast)
    issuing.adjust(bill, amount_cents=10_000, key="a", on=ON, reason="goodwill", actor="user:1")
    pay(bill, 5_000)
    issuing.correct(bill, by_cents=-9_000, key="c", on=ON, reason="claim corrected")
    assert (balance(bill), credit(cast)) == (0, 5_000)
    expense = Transfer.objects.filter(code=Code.ADJUSTMENT).order_by("pk")
    assert [(t.amount_cents, t.reverses_id is None) for t in expense] == [
        (10_000, True), (10_000, False), (9_500, True)
    ]  # fmt: skip
    assert checks.run(checks.RULES, deep=True) == []


def test_a_subsidised_premium_that_is_voided_gives_back_what_was_paid(cast: Cast) -> None:
    """Of $530.76, $300.00 are a tax credit and $230.76 paid: only these are the member's."""
    coverage = make_coverage(cast.alice, subsidy_cents=30_000, start_on=dt.date(2026, 1, 1))
    [bill] = premiums.issue_ahead(coverage, through=timezone.localdate())
    pay(bill, 23_076)
    assert issuing.void(bill, on=ON, reason="issued in error", actor="user:1")
    assert (balance(bill), credit(cast)) == (0, 23_076)
    assert checks.run(checks.RULES, deep=True) == []


def test_staff_cannot_take_off_more_than_is_owed(cast: Cast) -> None:
    bill = issue(cast)
    with pytest.raises(issuing.AmountExceedsBalance):
        issuing.adjust(bill, amount_cents=18_501, key="a", on=ON, reason="goodwill", actor="user:1")
    assert balance(bill) == 18_500


def test_a_void_bill_is_charged_back_whole_and_once(cast: Cast) -> None:
    bill = issue(cast)
    issuing.adjust(bill, amount_cents=8_500, key="a", on=ON, reason="goodwill", actor="user:1")
    pay(bill, 1_000)
    assert issuing.void(bill, on=ON, reason="issued in error", actor="user:1")
    assert not issuing.void(bill, on=ON, reason="issued in error", actor="user:1")
    assert (balance(bill), issuing.charged_cents(bill), credit(cast)) == (0, 0, 1_000)


def test_a_bill_over_nothing_moves_no_money(cast: Cast) -> None:
    assert balance(issue(cast, 0)) == 0
    assert Transfer.objects.count() == 0


def test_bill_numbers_do_not_count(cast: Cast) -> None:
    """FAULTS F08: no sequence, so no gap that shows a bill that is hidden."""
    numbers = [issue(cast, source_id=str(number)).number for number in range(20)]
    assert len(set(numbers)) == 20
    assert numbers != sorted(numbers)
