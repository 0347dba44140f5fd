"""What is told of instalments: ahead, on the day, and when one is missed; each once, and only while it is true."""

import datetime as dt

import pytest
from django.utils import timezone

from bills import holds
from bills.models import Bill, Hold
from notifications import notices, sending
from notifications.models import Notification
from payments.autopay import announcing, changing
from payments.models import AutopayCharge, AutopayEnrollment, PaymentPlan
from payments.plans import pausing, watching
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.notifications.telling import hush
from tests.payments.autopay.making import enrolled, in_days, make_card
from tests.payments.pages import signed_in, text_of
from tests.payments.plans.making import choice_of, make_plan, move_back, today
from tests.smtp import Mailbox, bodies


@pytest.fixture
def bill(cast: Cast) -> Bill:
    return make_bill(cast.alice, amount_cents=40_000)


@pytest.fixture
def plan(cast: Cast, bill: Bill) -> PaymentPlan:
    """Four times $100.00; the first is due in three days."""
    made = make_plan(cast.alice, [bill], choice_of(4))
    hush()
    move_back(made, (_first_due(made) - today()).days - 3)
    return made


def _first_due(plan: PaymentPlan) -> dt.date:
    return plan.installments.order_by("position")[0].due_on


def _told(times: int = 2) -> list[str]:
    """The kinds of notice that stand after the day's watch, which may run more than once."""
    for _ in range(times):
        watching.run()
        notices.make()
    return list(Notification.objects.order_by("pk").values_list("kind", flat=True))


def test_three_days_ahead_on_the_day_and_once_each_is_missed(plan: PaymentPlan) -> None:
    """From one to the next missed: the second is told too, and on no day anything twice."""
    assert _told() == ["plan_due_soon"]
    move_back(plan, 3)
    assert _told() == ["plan_due_soon", "plan_due_today"]
    move_back(plan, 7)
    assert _told() == ["plan_due_soon", "plan_due_today", "plan_missed"]
    move_back(plan, 33)
    assert _told() == ["plan_due_soon", "plan_due_today", "plan_missed", "plan_missed"]


def test_what_was_first_seen_on_its_day_is_told_on_its_day_alone(plan: PaymentPlan) -> None:
    move_back(plan, 3)
    assert _told() == ["plan_due_today"]


@pytest.mark.parametrize("days", [0, 3, 12])
def test_paid_between_making_and_sending_it_is_not_sent(
    plan: PaymentPlan, bill: Bill, mailbox: Mailbox, days: int
) -> None:
    """L03: looked at again at the moment of sending; money on its way is as good as paid."""
    move_back(plan, days)
    assert len(_told()) == 1
    make_payment({bill: 10_000}, status=PaymentStatus.PROCESSING)
    assert sending.send_waiting() == 0
    assert Notification.objects.get().status == "dropped"
    assert mailbox.taken == []


def test_in_the_mail_a_day_and_no_amount(plan: PaymentPlan, mailbox: Mailbox) -> None:
    move_back(plan, 3)
    _told()
    assert sending.send_waiting() == 1
    text, _html = bodies(mailbox.taken[0])
    assert "due today" in text
    assert "$" not in text


def test_what_autopay_takes_is_not_asked_for(plan: PaymentPlan, cast: Cast) -> None:
    _automatic(cast, plan)
    assert _told() == []
    move_back(plan, 3)
    assert _told() == []


def test_autopay_turned_on_between_making_and_sending_is_enough(
    plan: PaymentPlan, cast: Cast, mailbox: Mailbox
) -> None:
    assert _told() == ["plan_due_soon"]
    _automatic(cast, plan)
    assert sending.send_waiting() == 0
    assert Notification.objects.get().reason == "autopay takes it"


@pytest.mark.parametrize("status", ["skipped", "failed", "asked"])
def test_what_autopay_does_not_take_after_all_is_asked_for(plan: PaymentPlan, cast: Cast, status: str) -> None:
    """Skipped, failed for good, or above the limit and not answered: by hand, and told in time."""
    enrollment = _automatic(cast, plan)
    part = plan.installments.order_by("position")[0]
    AutopayCharge.objects.create(
        enrollment=enrollment, household=plan.household, installment=part, amount_cents=part.amount_cents,
        due_on=part.due_on, charge_on=part.due_on, status=status, code="member" if status == "skipped" else "",
    )  # fmt: skip
    assert _told() == ["plan_due_soon"]


def test_a_pause_and_its_end_by_itself_are_told(plan: PaymentPlan, cast: Cast, mailbox: Mailbox) -> None:
    """Its member asked for so many months; when they are over the plan goes on, and says from when."""
    pausing.for_hardship(plan, months=1, by=cast.alice.user)
    assert _told() == ["plan_paused"]
    assert sending.send_waiting() == 1
    plan.refresh_from_db()
    assert plan.paused_until is not None
    assert f"{plan.paused_until.day}, {plan.paused_until.year}" in bodies(mailbox.taken[0])[0]
    move_back(plan, (plan.paused_until - today()).days)
    assert _told() == ["plan_paused", "plan_resumed"]
    assert sending.send_waiting() == 1
    first = plan.installments.filter(superseded_at=None).order_by("position")[0]
    assert f"due on {first.due_on:%B} {first.due_on.day}, {first.due_on.year}" in bodies(mailbox.taken[1])[0]


def test_a_pause_that_waits_for_a_decision_names_no_day(plan: PaymentPlan, bill: Bill, mailbox: Mailbox) -> None:
    hold = holds.begin(bill, cause=Hold.Cause.REVIEW)
    assert _told() == ["plan_paused"]
    assert sending.send_waiting() == 1
    assert "while a bill on it is looked at" in bodies(mailbox.taken[0])[0]
    holds.end([hold])
    assert _told() == ["plan_paused", "plan_resumed"]


def test_autopay_that_goes_on_by_itself_says_so_once(cast: Cast, mailbox: Mailbox) -> None:
    """The pause was until today; however often the announcing runs."""
    enrollment = enrolled(cast.alice)
    changing.pause(enrollment, cast.alice.user, until=in_days(9))
    hush()
    assert not _resumed(enrollment, in_days(8))
    assert _resumed(enrollment, in_days(9))
    assert Notification.objects.get().kind == "autopay_resumed"
    assert sending.send_waiting() == 1
    assert "The pause is over" in bodies(mailbox.taken[0])[0]


def _resumed(enrollment: AutopayEnrollment, day: dt.date) -> bool:
    announcing.run(today=day)
    announcing.run(today=day)
    notices.make()
    enrollment.refresh_from_db()
    return enrollment.status == "active" and Notification.objects.count() == 1


def _automatic(cast: Cast, plan: PaymentPlan) -> AutopayEnrollment:
    """Autopay of the plan, turned on before its first instalment."""
    assert cast.alice.user is not None
    made = AutopayEnrollment.objects.create(
        user=cast.alice.user, household=cast.household, covers="plan", plan=plan, method=make_card(cast.alice)
    )
    AutopayEnrollment.objects.filter(pk=made.pk).update(created_at=timezone.now() - dt.timedelta(days=40))
    made.refresh_from_db()
    return made


def test_the_page_of_the_plan_says_that_autopay_takes_it(plan: PaymentPlan, cast: Cast) -> None:
    """How much, when and from what; and not where its member skipped it."""
    alice, words = signed_in(cast.alice), "You need not pay it by hand."
    assert words not in text_of(alice.get(f"/plans/{plan.number}/"))
    enrollment = _automatic(cast, plan)
    part = plan.installments.order_by("position")[0]
    charge = AutopayCharge.objects.create(
        enrollment=enrollment, household=plan.household, installment=part, amount_cents=part.amount_cents,
        due_on=part.due_on, charge_on=part.due_on,
    )  # fmt: skip
    page = text_of(alice.get(f"/plans/{plan.number}/"))
    assert f"Autopay takes $100.00 on {part.due_on:%B} {part.due_on.day}, {part.due_on.year} from Visa" in page
    AutopayCharge.objects.filter(pk=charge.pk).update(status="skipped")
    assert words not in text_of(alice.get(f"/plans/{plan.number}/"))
