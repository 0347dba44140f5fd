"""Announcing what autopay will charge: on the right day, with notice, anew when it changes."""

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import Delegate
from accounts.visibility import scope_of
from activity.models import Event
from bills import issuing, premiums
from bills.banking_days import next_banking_day
from bills.models import Bill
from payments.allocating import bills_to_pay
from payments.autopay import announcing, charge_sql
from payments.models import AutopayCharge, AutopayEnrollment, PaymentMethod
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate, make_payment
from tests.payments.autopay.making import make_account
from tests.payments.autopay.scene import charged, enroll, in_days, stands

ANNOUNCED = ("announced", "asked")


def plain_method(cast: Cast, kind: str = "card") -> PaymentMethod:
    return PaymentMethod.objects.create(user=cast.alice.user, kind=kind, stripe_id=f"pm_{kind}", last4="4242")


@pytest.fixture
def enrollment(cast: Cast) -> AutopayEnrollment:
    return enroll(cast.alice, plain_method(cast), people=(cast.alice, cast.maya))


def only(**of: int) -> AutopayCharge:
    return AutopayCharge.objects.get(**of)


def told(kind: str) -> int:
    return Event.objects.filter(kind=kind).count()


def test_what_falls_due_is_announced_once(cast: Cast, enrollment: AutopayEnrollment) -> None:
    bill = make_bill(cast.maya, due_on=in_days(20))
    assert announcing.run().announced == 1
    assert announcing.run() == announcing.Summary()
    charge = only()
    assert (charge.bill, charge.amount_cents, charge.charge_on) == (bill, 18_500, in_days(20))
    assert (charge.cycle, charge.attempt, charge.method, charge.household) == (1, 1, enrollment.method, cast.household)
    event = Event.objects.get(kind="autopay.announced")
    assert event.data == {"charge_id": charge.pk, "enrollment_id": enrollment.pk}
    assert event.owner_id == cast.household.pk


def test_only_bills_of_the_chosen_people_that_are_owed_and_in_order(cast: Cast, enrollment: AutopayEnrollment) -> None:
    """Not Bob's, not void, held, on a plan, paid, on its way, overdue before autopay was on, or far ahead."""
    make_bill(cast.bob, due_on=in_days(20))
    bills = {name: make_bill(cast.maya, due_on=in_days(20)) for name in ("void", "held", "plan", "paid", "way")}
    issuing.void(bills["void"], on=timezone.localdate(), reason="an error", actor="system")
    Bill.objects.filter(pk=bills["held"].pk).update(held_since=timezone.now())
    Bill.objects.filter(pk=bills["plan"].pk).update(on_plan_since=timezone.now())
    make_payment({bills["paid"]: 18_500})
    make_payment({bills["way"]: 18_500}, status="processing")
    make_bill(cast.maya, due_on=in_days(-2))
    make_bill(cast.maya, due_on=in_days(61))
    assert announcing.run().announced == 0


@pytest.mark.parametrize("status", ["ended", "suspended", "paused"])
def test_an_enrolment_that_is_not_on_announces_nothing(cast: Cast, enrollment: AutopayEnrollment, status: str) -> None:
    make_bill(cast.maya, due_on=in_days(20))
    AutopayEnrollment.objects.update(status=status, paused_until=in_days(3))
    assert announcing.run().announced == 0
    if status == "paused":
        assert announcing.run(today=in_days(3)).announced == 1
        enrollment.refresh_from_db()
        assert enrollment.status == "active"


def test_the_bills_of_who_asked_for_confidentiality_are_not_announced(
    cast: Cast, enrollment: AutopayEnrollment
) -> None:
    """FAULTS F27: to the holder they do not exist; once announced, they are closed without a word about why."""
    bill = make_bill(cast.maya, due_on=in_days(20))
    announcing.run()
    cast.maya.confidential_since = timezone.now()
    cast.maya.save()
    assert announcing.run().closed == 1
    assert stands(only()) == ("not_needed", "not_yours")
    Bill.objects.filter(pk=bill.pk).update(shared_at=timezone.now())
    assert announcing.run().announced == 0


def test_who_may_pay_is_the_same_as_at_checkout(cast: Cast) -> None:
    """The SQL against bills_to_pay, for everybody and every bill."""
    delegates = [make_delegate(cast.maya, f"{grant}@example.com", grant) for grant in ("pay_only", "view", "full")]
    ended = make_delegate(cast.maya, "ended@example.com", "full")
    Delegate.objects.filter(user=ended).update(until=in_days(-1))
    users = [cast.alice.user, cast.bob.user, cast.charlie.user, cast.dana, ended, *delegates]
    bills = [make_bill(member) for member in (cast.alice, cast.bob, cast.maya, cast.charlie)]
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    bills.append(make_bill(cast.bob))
    Bill.objects.filter(pk=bills[-1].pk).update(shared_at=timezone.now())
    issuing.void(bills[0], on=timezone.localdate(), reason="an error", actor="system")
    asked = f"""
        SELECT b.id FROM bills_bill b JOIN accounts_member p ON p.id = b.member_id
        CROSS JOIN (SELECT %(user)s::bigint AS user_id) e WHERE {charge_sql.MAY_PAY}
    """
    for user in users:
        with connection.cursor() as cursor:
            cursor.execute(asked, {"user": user.pk, "today": timezone.localdate()})
            found = {row[0] for row in cursor.fetchall()}
        assert found == set(bills_to_pay(scope_of(user)).values_list("pk", flat=True)), user.email


@pytest.mark.parametrize(
    ("due_on", "terms", "day"),
    [
        ("2027-03-31", {}, "2027-03-31"),
        ("2027-03-31", {"day_rule": "days_before", "days_before": 5}, "2027-03-26"),
        ("2027-03-31", {"day_rule": "day_of_month", "day_of_month": 31}, "2027-03-31"),
        ("2027-03-30", {"day_rule": "day_of_month", "day_of_month": 31}, "2027-02-28"),
        ("2027-02-28", {"day_rule": "day_of_month", "day_of_month": 29}, "2027-02-28"),
        ("2028-02-29", {"day_rule": "day_of_month", "day_of_month": 30}, "2028-02-29"),
        ("2028-03-01", {"day_rule": "day_of_month", "day_of_month": 31}, "2028-02-29"),
        ("2027-01-01", {"day_rule": "day_of_month", "day_of_month": 15}, "2026-12-15"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["card", "us_bank_account"])
def test_the_day_is_the_one_that_was_chosen(
    cast: Cast, due_on: str, terms: dict[str, object], day: str, kind: str
) -> None:
    """29 to 31 is the last day of a shorter month; a bank takes debits on the next day on which it is open."""
    due, wanted = dt.date.fromisoformat(due_on), dt.date.fromisoformat(day)
    enroll(cast.alice, plain_method(cast, kind), people=(cast.maya,), **terms)
    make_bill(cast.maya, due_on=due)
    announcing.run(today=due - dt.timedelta(days=58))
    if kind == "us_bank_account":  # 2027-01-01 is a Friday and a holiday; 2027-02-28 and 2028-02-29 are known
        weekend = {dt.date(2027, 2, 28): dt.date(2027, 3, 1)}
        wanted = weekend.get(wanted, wanted)
    assert only().charge_on == wanted


def test_banks_are_open_on_the_friday_before_a_holiday_on_saturday(cast: Cast) -> None:
    """FAULTS E26; RULES section 11: 4 July 2026 is a Saturday, and 2027 a Sunday."""
    enroll(cast.alice, plain_method(cast, "us_bank_account"), people=(cast.maya,))
    for due, charged_on in ((dt.date(2026, 7, 3), dt.date(2026, 7, 3)), (dt.date(2027, 7, 4), dt.date(2027, 7, 6))):
        AutopayEnrollment.objects.update(created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        bill = make_bill(cast.maya, due_on=due)
        announcing.run(today=due - dt.timedelta(days=30))
        assert AutopayCharge.objects.get(bill=bill).charge_on == charged_on


def test_a_day_that_the_notice_does_not_reach_becomes_the_due_date_or_ten_days(
    cast: Cast, enrollment: AutopayEnrollment
) -> None:
    """Reg E, 12 CFR 1005.10(d)(1); FAULTS D26."""
    AutopayEnrollment.objects.update(day_rule="days_before", days_before=8)
    early, late = make_bill(cast.maya, due_on=in_days(15)), make_bill(cast.maya, due_on=in_days(4))
    announcing.run()
    assert AutopayCharge.objects.get(bill=early).charge_on == in_days(15)
    assert AutopayCharge.objects.get(bill=late).charge_on == in_days(10)


def test_the_same_amount_as_the_last_time_needs_no_ten_days(cast: Cast, enrollment: AutopayEnrollment) -> None:
    AutopayCharge.objects.create(
        enrollment=enrollment, household=cast.household, bill=make_bill(cast.maya, due_on=in_days(-20)), status="done",
        amount_cents=18_500, due_on=in_days(-20), charge_on=in_days(-20),
    )  # fmt: skip
    same, other = make_bill(cast.maya, due_on=in_days(5)), make_bill(cast.maya, due_on=in_days(5), amount_cents=9_900)
    announcing.run()
    assert AutopayCharge.objects.get(bill=same).charge_on == in_days(5)
    assert AutopayCharge.objects.get(bill=other).charge_on == in_days(10)


def test_premiums_of_the_coverage_and_a_changed_premium_is_announced_anew(cast: Cast) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 12, 20, tzinfo=dt.UTC), tick=False):
        coverage = make_coverage(cast.alice, cast.maya, premium_cents=50_000)
        make_bill(cast.maya, due_on=dt.date(2026, 12, 1))
        enroll(cast.alice, plain_method(cast), coverage=coverage)
        premiums.run_daily(timezone.localdate())
        assert announcing.run().announced == 2, "November's was issued today, and is due at once"
        charge = AutopayCharge.objects.get(due_on=dt.date(2026, 12, 1))
        assert (charge.amount_cents, charge.charge_on) == (50_000, dt.date(2026, 12, 1))
        AutopayCharge.objects.exclude(pk=charge.pk).update(status="skipped")
    with time_machine.travel(dt.datetime(2026, 11, 25, 20, tzinfo=dt.UTC), tick=False):
        coverage.premium_cents = 60_000
        coverage.save()
        premiums.catch_up(coverage)
        assert announcing.run().changed == 1
        charge.refresh_from_db()
        assert (charge.amount_cents, charge.charge_on) == (60_000, dt.date(2026, 12, 5))
        assert told("autopay.changed") == 1
        coverage.premium_cents = 55_000
        coverage.save()
        premiums.catch_up(coverage)
        announcing.run()
        charge.refresh_from_db()
        assert (charge.amount_cents, charge.charge_on) == (55_000, dt.date(2026, 12, 5)), "a lower one moves no day"
        assert announcing.run() == announcing.Summary()


def test_above_the_limit_the_member_is_asked_and_nothing_is_charged(cast: Cast, enrollment: AutopayEnrollment) -> None:
    AutopayEnrollment.objects.update(limit_cents=18_499)
    bill = make_bill(cast.maya, due_on=in_days(20))
    announcing.run()
    assert (stands(only()), told("autopay.asked"), told("autopay.announced")) == (("asked", ""), 1, 0)
    assert charged(in_days(20)).planned == 0
    issuing.correct(bill, by_cents=-1, key="down", on=timezone.localdate(), reason="corrected")
    announcing.run()
    assert stands(only()) == ("announced", "")
    issuing.correct(bill, by_cents=1, key="up", on=timezone.localdate(), reason="corrected")
    announcing.run()
    assert stands(only()) == ("asked", "")


def test_what_was_paid_or_left_out_is_closed_and_what_is_owed_again_begins_a_cycle(
    cast: Cast, enrollment: AutopayEnrollment
) -> None:
    bill = make_bill(cast.maya, due_on=in_days(20))
    announcing.run()
    enrollment.members.remove(cast.maya)
    assert announcing.run().closed == 1
    assert stands(only()) == ("not_needed", "not_chosen")
    enrollment.members.add(cast.maya)
    assert announcing.run().announced == 1
    make_payment({bill: 18_500})
    assert announcing.run().closed == 1
    assert stands(only(cycle=2)) == ("not_needed", "paid_meanwhile")
    assert announcing.run() == announcing.Summary()
    issuing.correct(bill, by_cents=2_000, key="up", on=timezone.localdate(), reason="corrected")
    assert announcing.run().announced == 1
    assert only(cycle=3).amount_cents == 2_000


@pytest.mark.parametrize("status", ["skipped", "failed"])
def test_what_was_skipped_or_failed_is_never_announced_again(
    cast: Cast, enrollment: AutopayEnrollment, status: str
) -> None:
    make_bill(cast.maya, due_on=in_days(20))
    announcing.run()
    if status == "failed":
        AutopayCharge.objects.update(status="queued")
    AutopayCharge.objects.update(status=status)
    assert announcing.run() == announcing.Summary()


def test_a_card_that_expires_before_the_day_gives_way_to_the_second_method(
    cast: Cast, enrollment: AutopayEnrollment
) -> None:
    """Ahead of the day, told once, and a debit on a banking day; with none that can pay, nothing is moved."""
    make_bill(cast.maya, due_on=in_days(20))
    announcing.run()
    PaymentMethod.objects.update(expires_year=2020, expires_month=1)
    assert announcing.run() == announcing.Summary()
    second = make_account(cast.alice)
    AutopayEnrollment.objects.update(fallback=second)
    assert announcing.run().changed == 1
    day = next_banking_day(in_days(20))
    assert (only().method, only().charge_on, told("autopay.changed")) == (second, day, 1)
    make_bill(cast.maya, due_on=in_days(25))
    announcing.run()
    assert (AutopayCharge.objects.filter(method=second).count(), told("autopay.changed")) == (2, 1)


def test_what_is_not_answered_is_asked_once(cast: Cast, enrollment: AutopayEnrollment) -> None:
    """Its day goes by, and nobody hears of it again; a limit that lets it pass gives it a new day, with notice."""
    AutopayEnrollment.objects.update(limit_cents=18_499)
    make_bill(cast.maya, due_on=in_days(20))
    announcing.run()
    assert [announcing.run(today=in_days(day)).changed for day in (25, 30, 60)] == [0, 0, 0]
    assert (stands(only()), told("autopay.asked"), only().charge_on) == (("asked", ""), 1, in_days(20))
    AutopayEnrollment.objects.update(limit_cents=18_500)
    assert announcing.run(today=in_days(60)).changed == 1
    assert (stands(only()), only().charge_on) == (("announced", ""), in_days(70))


def test_a_hold_that_ends_late_moves_the_day_ten_days_ahead(cast: Cast, enrollment: AutopayEnrollment) -> None:
    bill = make_bill(cast.maya, due_on=in_days(20))
    announcing.run()
    Bill.objects.update(held_since=timezone.now())
    assert charged(in_days(20)).planned == 0
    assert announcing.run(today=in_days(35)) == announcing.Summary()
    Bill.objects.filter(pk=bill.pk).update(held_since=None)
    assert charged(in_days(35)).planned == 0
    assert announcing.run(today=in_days(35)).changed == 1
    assert only().charge_on == in_days(45)
