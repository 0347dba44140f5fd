"""Issuing, correcting, adjusting and voiding a bill: every change is a transfer, nothing is edited."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from activity.models import Event
from bills import issuing
from bills.models import Bill
from ledger.models import Transfer
from tests.conftest import Cast

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
    issuing.adjust(bill, amount_cents=10_000, key="a", on=ON, reason="goodwill", actor="user:1")
    issuing.correct(bill, by_cents=-10_000, key="c", on=ON, reason="claim corrected")
    assert (balance(bill), credit(cast)) == (0, 1_500)
    assert Transfer.objects.filter(reference=f"bill:{bill.number}").count() == 4


def test_staff_cannot_take_off_more_than_is_owed(cast: Cast) -> None:
    bill = issue(cast)
    with pytest.raises(issuing.AmountExceedsBalance):
        issuing.adjust(bill, amount_cents=18_501, key="a", on=ON, reason="goodwill", actor="user:1")
    assert balance(bill) == 18_500


def test_a_void_bill_is_charged_back_whole_and_once(cast: Cast) -> None:
    bill = issue(cast)
    issuing.adjust(bill, amount_cents=8_500, key="a", on=ON, reason="goodwill", actor="user:1")
    assert issuing.void(bill, on=ON, reason="issued in error", actor="user:1")
    assert not issuing.void(bill, on=ON, reason="issued in error", actor="user:1")
    assert (balance(bill), issuing.charged_cents(bill), credit(cast)) == (0, 0, 8_500)


def test_a_bill_over_nothing_moves_no_money(cast: Cast) -> None:
    assert balance(issue(cast, 0)) == 0
    assert Transfer.objects.count() == 0


def test_bill_numbers_do_not_count(cast: Cast) -> None:
    """FAULTS F08: no sequence, so no gap that shows a bill that is hidden."""
    numbers = [issue(cast, source_id=str(number)).number for number in range(20)]
    assert len(set(numbers)) == 20
    assert numbers != sorted(numbers)
