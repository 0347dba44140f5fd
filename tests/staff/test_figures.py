"""Money by month: the ledger's own sums, kept a row a month, and shown to those of staff who look after money."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

import ledger
from accounts.roles import PERMISSIONS, Role
from bills import holds, issuing
from bills.models import Bill, Hold
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from payments import figures
from payments.models import MonthFigures
from tests.conftest import Cast


@pytest.fixture
def bill(cast: Cast) -> Bill:
    return issued(cast, "1", 18_500)


def issued(cast: Cast, number: str, cents: int) -> Bill:
    today = timezone.localdate()
    return issuing.issue(
        member=cast.maya, kind="medical", amount_cents=cents, title="Visit", provider_name="", issued_on=today,
        due_on=today + dt.timedelta(days=20), service_on=today, source="t", source_id=number,
        lines=[issuing.Line(description="Visit", amount_cents=cents, charged_cents=cents)],
    )  # fmt: skip


def moved(bill: Bill, account: SystemAccount, code: Code, cents: int, key: str) -> ledger.Posted:
    return ledger.post(
        ledger.Posting(
            system_id(account), bill.receivable_id, cents, code, key, f"bill:{bill.number}", timezone.localdate(),
            bill.household_id,
        )
    )  # fmt: skip


def test_a_months_figures_are_what_its_transfers_say(bill: Bill) -> None:
    month = timezone.localdate().replace(day=1)
    moved(bill, SystemAccount.LOCKBOX, Code.LOCKBOX_PAYMENT, 3_500, "check:1")
    moved(bill, SystemAccount.STRIPE_CLEARING, Code.PAYMENT, 2_000, "payment:1")
    moved(bill, SystemAccount.CHARITY_CARE_EXPENSE, Code.ASSISTANCE, 4_000, "award:1")
    moved(bill, SystemAccount.ADJUSTMENT_EXPENSE, Code.WRITE_OFF, 100, "off:1")
    figures.keep()
    row = MonthFigures.objects.get(month=month)
    assert (row.billed_cents, row.received_cents, row.assisted_cents, row.given_up_cents) == (18_500, 5_500, 4_000, 100)
    assert row.open_cents == 18_500 - 9_600


def test_what_went_back_counts_against_what_came_in(bill: Bill) -> None:
    payment = moved(bill, SystemAccount.STRIPE_CLEARING, Code.PAYMENT, 2_000, "payment:1")
    ledger.reverse(payment.id, key="payment:1:undone", reference="payment:1", effective_on=timezone.localdate())
    assert figures.moved(timezone.localdate().replace(day=1))["received_cents"] == 0


def test_what_waits_is_neither_past_due_nor_on_a_plan(cast: Cast, bill: Bill) -> None:
    """Past due, on a plan and on hold exclude each other, as the states of bills do."""
    late, planned, held = (issued(cast, number, 1_000) for number in "234")
    Bill.objects.filter(pk__in=[late.pk, planned.pk, held.pk]).update(
        due_on=timezone.localdate() - dt.timedelta(days=7)
    )
    Bill.objects.filter(pk__in=[planned.pk, held.pk]).update(on_plan_since=timezone.now())
    holds.begin(held, cause=Hold.Cause.REVIEW)
    figures.keep()
    row = MonthFigures.objects.first()
    assert row is not None
    assert (row.open_cents, row.past_due_cents, row.on_plan_cents, row.on_hold_cents) == (21_500, 1_000, 1_000, 1_000)


def test_months_that_ended_are_finished_once(bill: Bill) -> None:
    with time_machine.travel(dt.datetime(2027, 3, 2, 20, tzinfo=dt.UTC)):
        assert figures.keep() == 1 + figures.MONTHS_BACK
        assert figures.keep() == 1  # the present month alone
    with time_machine.travel(dt.datetime(2027, 4, 1, 20, tzinfo=dt.UTC)):
        assert figures.keep() == 2  # and March, which has ended since
    march = MonthFigures.objects.get(month=dt.date(2027, 3, 1))
    assert march.open_cents == 18_500  # as it stood when it was last looked at


def test_the_page_shows_how_things_stand_and_the_months(staff, bill: Bill) -> None:
    moved(bill, SystemAccount.LOCKBOX, Code.LOCKBOX_PAYMENT, 3_500, "check:1")
    empty = staff(Role.AUDITOR).get("/admin/payments/monthfigures/").content.decode()
    assert "Nothing was kept yet" in empty
    figures.keep()
    page = staff(Role.BILLING).get("/admin/payments/monthfigures/").content.decode()
    assert "$150.00" in page
    assert "Money in, less what went back" in page


@pytest.mark.parametrize("role", list(Role))
def test_only_who_looks_after_money_sees_it(staff, role: Role) -> None:
    allowed = "payments.view_monthfigures" in PERMISSIONS[role]
    assert allowed == (role in (Role.BILLING, Role.AUDITOR, Role.ADMINISTRATOR))
    assert staff(role).get("/admin/payments/monthfigures/").status_code == (200 if allowed else 403)
