"""A bill waits for as long as any of its causes stands, and for no longer."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from activity.models import Event
from bills import holds
from bills.models import Bill, Hold
from tests.accounts.records import Records
from tests.conftest import Cast

Cause = Hold.Cause


@pytest.fixture
def bill(cast: Cast) -> Bill:
    return Records(cast.alice).bills["Alice"]


def test_a_bill_is_held_while_one_of_two_causes_stands(bill: Bill, cast: Cast) -> None:
    first = holds.begin(bill, cause=Cause.DISPUTE, reference="inquiry:1", by=cast.alice.user)
    second = holds.begin(bill, cause=Cause.ASSISTANCE, reference="application:2")
    assert holds.end([first], by=cast.dana) == 1
    bill.refresh_from_db()
    assert bill.held_since == second.began_at
    assert holds.end_all_of("application:2") == 1
    bill.refresh_from_db()
    assert bill.held_since is None


def test_the_same_cause_begins_once(bill: Bill) -> None:
    first = holds.begin(bill, cause=Cause.QUESTION, reference="inquiry:1", reason="asked")
    assert holds.begin(bill, cause=Cause.QUESTION, reference="inquiry:1") == first
    assert Event.objects.filter(kind="bill.held", subject=f"bill:{bill.number}").count() == 1
    bill.refresh_from_db()
    assert bill.hold_reason == "asked"


def test_a_hold_ends_once(bill: Bill) -> None:
    hold = holds.begin(bill, cause=Cause.REVIEW)
    assert holds.end([hold]) == 1
    assert holds.end([hold]) == 0
    assert Event.objects.filter(kind="bill.released", subject=f"bill:{bill.number}").count() == 1


def test_the_database_refuses_a_second_hold_for_the_same(bill: Bill) -> None:
    hold = holds.begin(bill, cause=Cause.REVIEW, reference="reject:9")
    with pytest.raises(IntegrityError, match="bills_hold_once"):
        Hold.objects.create(bill=bill, cause=hold.cause, reference=hold.reference, began_at=hold.began_at)


def test_two_at_once_begin_one_hold(real_cast: Cast) -> None:
    bill = Records(real_cast.alice).bills["Alice"]

    def begin(_number: int) -> int:
        try:
            return holds.begin(bill, cause=Cause.DISPUTE, reference="inquiry:7").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        begun = set(pool.map(begin, range(8)))
    assert len(begun) == 1
    assert Hold.objects.standing().count() == 1
