"""A coverage that changes after its premium went out: the difference is posted, what stood stays."""

import datetime as dt

from accounts.models import Coverage
from bills import issuing, premium_changes, premiums
from bills.models import Bill
from bills.tasks import issue_premiums
from ledger.chart import Code
from ledger.models import Transfer
from tests.bills.covering import DECEMBER, NOVEMBER_20, balance, cover, pay, today  # noqa: F401


def changed(coverage: Coverage, **fields) -> int:
    """Change a coverage, and bring its bills in line."""
    Coverage.objects.filter(pk=coverage.pk).update(**fields)
    return premium_changes.revise(coverage)


def test_a_premium_lowered_after_payment_becomes_credit_and_history_stays(cast):
    """FAULTS A23: the difference is a transfer of its own; nothing that stood is changed."""
    coverage = cover(cast)
    premiums.issue_month(DECEMBER)
    bill = Bill.objects.get()
    pay(bill, 53076)
    before = list(Transfer.objects.order_by("id").values())
    assert changed(coverage, premium_cents=70000) == 1
    assert list(Transfer.objects.order_by("id").values())[: len(before)] == before
    bill = Bill.objects.get()
    assert (bill.amount_cents, bill.balance_cents) == (78076, 0)
    assert balance(cast.household.credit_id) == -8076
    assert changed(coverage) == 0


def test_a_premium_raised_after_payment_is_owed(cast):
    coverage = cover(cast)
    premiums.issue_month(DECEMBER)
    pay(Bill.objects.get(), 53076)
    assert changed(coverage, premium_cents=80000) == 1
    assert Bill.objects.get().balance_cents == 1924
    assert balance(cast.household.credit_id) == 0


def test_a_subsidy_withdrawn_is_owed_and_one_granted_is_credit(cast):
    coverage = cover(cast)
    premiums.issue_month(DECEMBER)
    pay(Bill.objects.get(), 53076)
    changed(coverage, subsidy_cents=20000)
    assert Bill.objects.get().balance_cents == 5000
    changed(coverage, subsidy_cents=0, charitable_cents=20000)
    assert Bill.objects.get().balance_cents == 5000
    assert Transfer.objects.filter(code=Code.SUBSIDY_WITHDRAWN).count() == 2
    assert Transfer.objects.get(code=Code.CHARITABLE_SUBSIDY).amount_cents == 20000
    changed(coverage, subsidy_cents=30000)
    assert Bill.objects.get().balance_cents == 0
    assert balance(cast.household.credit_id) == -25000
    assert changed(coverage) == 0


def test_a_coverage_ended_back_to_before_the_month_gives_back_what_was_paid_and_no_more(cast):
    coverage = cover(cast)
    premiums.issue_month(DECEMBER)
    bill = Bill.objects.get()
    pay(bill, 53076)
    assert changed(coverage, end_on=dt.date(2026, 11, 30)) == 1
    assert Bill.objects.get().balance_cents == 0
    assert balance(cast.household.credit_id) == -53076
    assert changed(coverage, end_on=None) == 1
    assert Bill.objects.get().balance_cents == 53076


def test_a_void_premium_is_left_alone(cast):
    coverage = cover(cast)
    premiums.issue_month(DECEMBER)
    issuing.void(Bill.objects.get(), on=NOVEMBER_20, reason="entered twice", actor="staff")
    assert changed(coverage, premium_cents=90000) == 0


def test_a_run_also_brings_earlier_bills_of_the_month_in_line(cast):
    coverage = cover(cast)
    premiums.run(DECEMBER)
    Coverage.objects.filter(pk=coverage.pk).update(premium_cents=80000)
    assert premiums.run(DECEMBER) == premiums.Summary(issued=0, changed=1)
    assert premiums.run(DECEMBER) == premiums.Summary(issued=0, changed=0)


def test_a_coverage_that_began_earlier_than_known_is_caught_up(cast):
    coverage = cover(cast, start_on=dt.date(2026, 12, 1))
    premiums.issue_month(DECEMBER)
    Coverage.objects.filter(pk=coverage.pk).update(start_on=dt.date(2026, 9, 16))
    coverage.refresh_from_db()
    assert premiums.catch_up(coverage) == premiums.Summary(issued=3, changed=0)
    assert Bill.objects.get(period=dt.date(2026, 9, 1)).amount_cents == 78076 // 2
    assert premiums.catch_up(coverage) == premiums.Summary(issued=0, changed=0)


def test_the_task_brings_months_paid_ahead_and_the_last_months_in_line(cast):
    coverage = cover(cast)
    premiums.issue_ahead(coverage, through=dt.date(2027, 6, 1))
    premiums.issue_month(dt.date(2026, 8, 1))
    premiums.issue_month(dt.date(2026, 7, 1))
    Coverage.objects.filter(pk=coverage.pk).update(subsidy_cents=0)
    issue_premiums()
    unchanged = Bill.objects.filter(receivable__balance_cents=53076)
    assert [bill.period for bill in unchanged] == [dt.date(2026, 7, 1)]
