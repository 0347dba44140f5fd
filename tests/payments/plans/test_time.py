"""What becomes of a plan: paid, late, noticed, ended, cured, paused, respread; each once, whatever runs twice."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.utils import timezone

import ledger
from accounts.models import Member
from accounts.visibility import scope_of
from activity.models import Event
from bills import holds
from bills.models import Bill, Hold
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from payments.autopay import announcing
from payments.models import AutopayCharge, AutopayEnrollment, Installment, PaymentMethod, PaymentPlan
from payments.plans import allocating, changing, pausing, respreading, standing, watching
from payments.plans.pausing import PauseRefused
from payments.plans.standing import State
from payments.plans.terms import TermsRefused
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.payments.plans.making import amounts_of, choice_of, make_plan, move_back, signing_of, today


@pytest.fixture
def bill(cast: Cast) -> Bill:
    return make_bill(cast.alice, amount_cents=40_000)


@pytest.fixture
def plan(cast: Cast, bill: Bill) -> PaymentPlan:
    """Four times $100.00; the first is due today."""
    made = make_plan(cast.alice, [bill], choice_of(4))
    move_back(made, (_lines(made)[0].due_on - today()).days)
    return made


def test_what_is_paid_of_a_plan_is_what_was_paid_of_its_bills(plan: PaymentPlan, bill: Bill) -> None:
    pay(bill, 15_000)
    where = standing.of(plan)
    assert (where.paid_cents, where.left_cents) == (15_000, 25_000)
    assert [line.open_cents for line in where.lines] == [0, 5_000, 10_000, 10_000]


def test_money_on_its_way_misses_nothing(plan: PaymentPlan, bill: Bill) -> None:
    make_payment({bill: 10_000}, status=PaymentStatus.PROCESSING)
    move_back(plan, 10)
    watching.run()
    assert state_of(plan) is State.ON_TRACK
    assert not told("plan.missed")


def test_what_autopay_takes_after_the_due_date_is_not_missed_until_it_failed(cast: Cast, plan: PaymentPlan) -> None:
    """Its ten days of notice, or its next try, end after the due date: nobody is told of a missed payment meanwhile."""
    charge = enrolled(cast, plan, status="announced")
    move_back(plan, 6)
    AutopayCharge.objects.filter(pk=charge.pk).update(charge_on=today() + dt.timedelta(days=2))
    watching.run()
    assert not told("plan.missed")
    client = Client()
    client.force_login(cast.alice.user)  # type: ignore[arg-type]
    for address in ("/overview/", "/plans/", f"/plans/{plan.number}/"):
        page = client.get(address).content.decode()
        assert "Payment missed" not in page and ("Payment due" in page) is (address != "/overview/"), address
    for status in ("queued", "failed"):
        AutopayCharge.objects.filter(pk=charge.pk).update(status=status)
    watching.run()
    assert told("plan.missed") == 1 and "Payment missed" in client.get("/plans/").content.decode()


def test_from_due_to_missed_to_notice_to_the_end_and_each_said_once(plan: PaymentPlan, bill: Bill) -> None:
    assert state_of(plan) is State.DUE
    for days, state, kind in (
        (6, State.MISSED, "plan.missed"), (55, State.GRACE, "plan.grace"), (28, State.GRACE, "plan.grace"),
        (3, State.DEFAULT, "plan.defaulted"),
    ):  # fmt: skip
        move_back(plan, days)
        watching.run()
        watching.run()
        assert state_of(plan) is state, days
        assert told(kind) == 1
    bill.refresh_from_db()
    assert bill.on_plan_since is None
    assert not plan.plan_bills.standing().exists()


def test_no_plan_ends_without_a_notice_thirty_days_before(plan: PaymentPlan) -> None:
    """A standstill of the portal does not shorten the notice: 90 days missed, and the notice was given today."""
    move_back(plan, 120)
    watching.run()
    watching.run()
    assert state_of(plan) is State.GRACE
    where = standing.of(PaymentPlan.objects.select_related("policy").get(pk=plan.pk))
    assert where.ends_on() == today() + dt.timedelta(days=30)
    with pytest.raises(IntegrityError, match="default_after_notice"), transaction.atomic():
        PaymentPlan.objects.filter(pk=plan.pk).update(
            status="defaulted", noticed_on=None, ended_at=timezone.now(), defaulted_at=timezone.now()
        )


def test_who_pays_what_was_missed_has_caught_up(plan: PaymentPlan, bill: Bill) -> None:
    move_back(plan, 70)
    watching.run()
    watching.run()
    assert state_of(plan) is State.GRACE
    pay(bill, 30_000)
    watching.run()
    assert state_of(plan) is State.CURED
    assert told("plan.cured") == 1


def test_a_day_on_which_banks_are_closed_misses_nothing(plan: PaymentPlan) -> None:
    line = _lines(plan)[0]
    saturday = dt.date(2026, 11, 28)
    Installment.objects.filter(pk=line.pk).update(due_on=saturday)
    where = standing.of(PaymentPlan.objects.select_related("policy").get(pk=plan.pk))
    assert where.missed_since(dt.date(2026, 11, 30)) is None
    assert where.missed_since(dt.date(2026, 12, 1)) == saturday


def test_paid_off_frees_the_bills_and_a_returned_payment_opens_it_again(plan: PaymentPlan, bill: Bill) -> None:
    pay(bill, 40_000)
    watching.run()
    assert state_of(plan) is State.PAID_OFF
    assert told("plan.completed") == 1
    bill.refresh_from_db()
    assert bill.on_plan_since is None
    give_back(bill, 10_000)
    watching.run()
    plan.refresh_from_db()
    assert plan.status == "active"
    assert amounts_of(plan) == [10_000] * 4
    assert standing.of(plan).left_cents == 10_000
    assert Bill.objects.get(pk=bill.pk).on_plan_since is not None


def test_an_award_comes_off_the_last_instalments_and_back_on_when_it_is_taken_back(
    plan: PaymentPlan, bill: Bill
) -> None:
    adjust(bill, -15_000)
    assert respreading.run() == 1
    assert respreading.run() == 0
    assert amounts_of(plan) == [10_000, 10_000, 5_000]
    assert told("plan.respread") == 1
    adjust(bill, 15_000)
    respreading.run()
    assert amounts_of(plan) == [10_000] * 4


def test_a_returned_payment_is_missed_from_its_return_on_and_not_before(plan: PaymentPlan, bill: Bill) -> None:
    pay(bill, 20_000)
    move_back(plan, 40)
    watching.run()
    assert state_of(plan) is not State.MISSED
    give_back(bill, 20_000)
    watching.run()
    plan.refresh_from_db()
    assert plan.reopened_on == today()
    assert plan.missed_since is None
    assert amounts_of(plan) == [10_000] * 4


def test_a_void_bill_leaves_its_plan(cast: Cast) -> None:
    first, second = (make_bill(cast.alice, amount_cents=20_000) for _ in range(2))
    plan = make_plan(cast.alice, [first, second])
    pay(first, 5_000)
    adjust(first, -15_000)
    Bill.objects.filter(pk=first.pk).update(voided_at=timezone.now())
    respreading.run()
    assert [bill.pk for bill in standing.of(plan).bills] == [second.pk]
    assert sum(amounts_of(plan)) == 25_000


def test_the_bills_of_who_becomes_confidential_leave_the_holders_plan(cast: Cast) -> None:
    bobs, own = make_bill(cast.bob, amount_cents=20_000), make_bill(cast.alice, amount_cents=20_000)
    plan = make_plan(cast.alice, [bobs, own])
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    respreading.run()
    assert [bill.pk for bill in standing.of(plan).bills] == [own.pk]
    assert sum(amounts_of(plan)) == 20_000


def test_a_plan_waits_while_an_application_is_pending(plan: PaymentPlan, bill: Bill) -> None:
    move_back(plan, 20)
    watching.run()
    holds.begin(bill, cause=Hold.Cause.ASSISTANCE, reference="application:5")
    watching.run()
    assert state_of(plan) is State.PAUSED
    move_back(plan, 80)
    watching.run()
    assert state_of(plan) is State.PAUSED
    assert told("plan.paused") == 1
    assert allocating.allocation(plan, 10_000) == {}
    holds.end_all_of("application:5")
    watching.run()
    assert state_of(plan) in (State.ON_TRACK, State.DUE)
    assert _lines(plan)[0].due_on >= today() + dt.timedelta(days=10)
    assert amounts_of(plan) == [10_000] * 4


def test_a_pause_for_hardship_is_once_and_within_the_rule(cast: Cast, plan: PaymentPlan) -> None:
    user = cast.alice.user
    assert user is not None
    for months in (0, 3):
        with pytest.raises(PauseRefused):
            pausing.for_hardship(plan, months=months, by=user)
    pausing.for_hardship(plan, months=2, by=user)
    watching.run()
    assert state_of(plan) is State.PAUSED
    move_back(plan, 70)
    watching.run()
    assert state_of(plan) in (State.ON_TRACK, State.DUE)
    with pytest.raises(PauseRefused):
        pausing.for_hardship(plan, months=1, by=user)


def test_a_pause_for_hardship_runs_to_its_end_whatever_is_held_meanwhile(
    cast: Cast, plan: PaymentPlan, bill: Bill
) -> None:
    """It is given once: an application that is decided after a week must not use it up."""
    user = cast.alice.user
    assert user is not None
    until = pausing.for_hardship(plan, months=2, by=user).paused_until
    holds.begin(bill, cause=Hold.Cause.ASSISTANCE, reference="application:5")
    watching.run()
    with pytest.raises(PauseRefused):
        pausing.go_on(plan, by=user)
    holds.end_all_of("application:5")
    watching.run()
    plan.refresh_from_db()
    assert (plan.pause_reason, plan.paused_until, told("plan.resumed")) == ("hardship", until, 0)
    holds.begin(bill, cause=Hold.Cause.REVIEW, reference="review:1")
    move_back(plan, 70)
    watching.run()
    plan.refresh_from_db()
    assert (plan.pause_reason, told("plan.resumed")) == ("review", 0)
    holds.end_all_of("review:1")
    watching.run()
    assert (state_of(plan) is State.PAUSED, told("plan.resumed")) == (False, 1)


def test_a_change_spreads_what_is_left_and_keeps_what_is_paid(cast: Cast, plan: PaymentPlan, bill: Bill) -> None:
    pay(bill, 14_000)
    scope, chosen = scope_of(cast.alice.user), choice_of(2, day=31)
    signing = signing_of(changing.draft(scope, plan, chosen))
    for _ in range(2):
        changing.apply(scope, plan, chosen, signing)
    assert amounts_of(plan) == [10_000, 4_000, 13_000, 13_000]
    assert plan.agreements.count() == 2
    assert told("plan.changed") == 1


def test_a_bill_that_joins_is_spread_with_the_rest(cast: Cast, plan: PaymentPlan) -> None:
    other = make_bill(cast.maya, amount_cents=20_000)
    scope, chosen = scope_of(cast.alice.user), choice_of(6)
    signing = signing_of(changing.draft(scope, plan, chosen, [other.number]))
    changing.apply(scope, plan, chosen, signing, added=[other.number])
    assert amounts_of(plan) == [10_000] * 6
    assert Bill.objects.get(pk=other.pk).on_plan_since is not None


def test_what_is_being_charged_holds_up_changes(cast: Cast, plan: PaymentPlan) -> None:
    charge = enrolled(cast, plan, status=AutopayCharge.Status.QUEUED)
    user, scope = cast.alice.user, scope_of(cast.alice.user)
    assert user is not None and charge
    with pytest.raises(TermsRefused):
        changing.draft(scope, plan, choice_of(2))
    with pytest.raises(TermsRefused):
        changing.end(plan, by=user)
    with pytest.raises(TermsRefused):
        pausing.for_hardship(plan, months=1, by=user)


def test_an_ended_plan_gives_its_bills_back(cast: Cast, plan: PaymentPlan, bill: Bill) -> None:
    charge = enrolled(cast, plan, status=AutopayCharge.Status.ANNOUNCED)
    assert cast.alice.user is not None
    changing.end(plan, by=cast.alice.user)
    assert state_of(plan) is State.ENDED
    bill.refresh_from_db()
    charge.refresh_from_db()
    assert (bill.on_plan_since, charge.status) == (None, "not_needed")
    with pytest.raises(DatabaseError), transaction.atomic():
        PaymentPlan.objects.filter(pk=plan.pk).update(status="active", ended_at=None)


def test_autopay_announces_each_open_instalment_once(cast: Cast, plan: PaymentPlan, bill: Bill) -> None:
    enrolled(cast, plan)
    later = _lines(plan)[1]
    day = later.due_on - dt.timedelta(days=10)
    pay(bill, 14_000)
    announcing.run(today=day)
    assert announcing.run(today=day).announced == 0
    charge = AutopayCharge.objects.get(installment=later)
    assert (charge.installment_id, charge.amount_cents, charge.charge_on) == (later.pk, 6_000, later.due_on)
    assert told("autopay.announced") == AutopayCharge.objects.count()
    pay(bill, 6_000)
    announcing.run(today=day)
    charge.refresh_from_db()
    assert (charge.status, charge.code) == ("not_needed", "paid_meanwhile")


def test_what_a_pause_took_back_is_announced_again_when_the_plan_goes_on(cast: Cast, plan: PaymentPlan) -> None:
    assert cast.alice.user is not None
    enrolled(cast, plan)
    announcing.run()
    announced = AutopayCharge.objects.filter(status="announced").count()
    assert announced
    pausing.for_hardship(plan, months=1, by=cast.alice.user)
    announcing.run()
    assert set(AutopayCharge.objects.values_list("status", "code")) == {("not_needed", "plan_paused")}
    pausing.go_on(plan, by=cast.alice.user)
    announcing.run()
    assert AutopayCharge.objects.filter(status="announced").count() == announced


def test_an_allocation_is_never_more_than_can_be_paid(cast: Cast) -> None:
    first, second = (
        make_bill(cast.alice, amount_cents=15_000, due_on=today()),
        make_bill(cast.alice, amount_cents=25_000),
    )
    plan = make_plan(cast.alice, [second, first])
    assert allocating.allocation(plan, 20_000) == {first.pk: 15_000, second.pk: 5_000}
    make_payment({first: 10_000}, status=PaymentStatus.PROCESSING)
    assert allocating.allocation(plan, 99_999) == {first.pk: 5_000, second.pk: 25_000}
    holds.begin(first, cause=Hold.Cause.REVIEW)
    assert allocating.allocation(plan, 99_999) == {second.pk: 25_000}


def pay(bill: Bill, cents: int) -> None:
    """A payment of the bill that has posted."""
    make_payment({bill: cents}, payer=None)


def give_back(bill: Bill, cents: int) -> None:
    """A bank takes a payment back."""
    _post(bill, cents, Code.BANK_RETURN, SystemAccount.STRIPE_CLEARING)


def adjust(bill: Bill, cents: int) -> None:
    """Staff lower or raise what is owed."""
    is_less = cents < 0
    other = SystemAccount.ADJUSTMENT_EXPENSE if is_less else SystemAccount.MEDICAL_REVENUE
    _post(bill, cents, Code.ADJUSTMENT if is_less else Code.BILL_RAISED, other)


def _post(bill: Bill, cents: int, code: Code, other: SystemAccount) -> None:
    accounts = (bill.receivable_id, system_id(other))
    debit, credit = accounts if cents > 0 else accounts[::-1]
    ledger.post(
        Posting(
            debit_id=debit, credit_id=credit, amount_cents=abs(cents), code=code, key=f"test:{bill.pk}:{cents}:{code}",
            reference=f"bill:{bill.number}", effective_on=today(), owner_id=bill.household_id,
        )
    )  # fmt: skip


def told(kind: str) -> int:
    """How often it was said."""
    return Event.objects.filter(kind=kind).count()


def state_of(plan: PaymentPlan) -> State:
    """The state as it is shown."""
    return standing.of(PaymentPlan.objects.select_related("policy").get(pk=plan.pk)).state()


def enrolled(cast: Cast, plan: PaymentPlan, *, status: str = "") -> AutopayCharge:
    """Autopay for the plan, and with a status a charge of its first instalment."""
    user = cast.alice.user
    assert user is not None
    card = PaymentMethod.objects.create(user=user, kind="card", stripe_id="pm_plan", last4="4242")
    enrollment = AutopayEnrollment.objects.create(
        user=user, household=cast.household, covers="plan", plan=plan, method=card
    )
    line = _lines(plan)[0]
    charge = AutopayCharge(
        enrollment=enrollment, household=cast.household, installment=line, amount_cents=line.amount_cents,
        due_on=line.due_on, charge_on=line.due_on, status=status,
    )  # fmt: skip
    if status:
        charge.save()
    return charge


def _lines(plan: PaymentPlan) -> list[Installment]:
    return list(Installment.objects.standing().filter(plan=plan))
