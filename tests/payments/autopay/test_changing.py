"""Changing, pausing and stopping autopay, and single charges of it, until the stated cut-off."""

import datetime as dt
from dataclasses import replace
from unittest import mock

import pytest
from django.utils import timezone

from accounts.visibility import scope_of
from activity.models import Event
from bills.banking_days import next_banking_day
from payments import scheduling
from payments.autopay import changing, enrolling, notes, single, terms
from payments.autopay.changing import NotOn
from payments.autopay.single import NotWaiting, PastCutOff
from payments.autopay.terms import AutopayError, MethodUnfit
from payments.models import AutopayCharge, AutopayEnrollment
from tests.conftest import Cast
from tests.payments.autopay.making import (
    AGREED,
    announced,
    enrolled,
    in_days,
    make_account,
    make_card,
    make_terms,
    premium_terms,
    stands,
)

pytestmark = pytest.mark.django_db
WAITING = ("announced", "asked")


def status_of(enrollment: AutopayEnrollment) -> str:
    return AutopayEnrollment.objects.get(pk=enrollment.pk).status


def test_a_change_is_agreed_to_anew_and_announced_charges_follow(cast: Cast) -> None:
    """Method and day; a retry keeps its day, and what is queued or sent its method."""
    enrollment = enrolled(cast.alice)
    charge, retry = announced(enrollment, cast.alice), announced(enrollment, cast.maya, attempt=2)
    sent = announced(enrollment, cast.maya, status="sent")
    other = make_card(cast.alice, last4="1881")
    wanted = replace(terms.of(enrollment), method=other, day_rule="days_before", days_before=2)
    changing.change(enrollment, cast.alice.user, wanted, AGREED)
    for each in (charge, retry, sent):
        each.refresh_from_db()
    assert (charge.method, charge.charge_on) == (other, charge.due_on - dt.timedelta(days=2))
    assert (retry.method, retry.charge_on) == (other, retry.due_on)
    assert sent.method != other
    assert enrollment.consents.count() == 2
    assert Event.objects.get(kind="autopay.terms_changed").data["method_id"] == other.pk


@pytest.mark.parametrize("status", ["suspended", "paused"])
def test_what_waits_from_a_day_that_went_by_follows_to_one_that_is_told(cast: Cast, status: str) -> None:
    """Stopped or paused meanwhile: neither the old method nor today is charged, and a debit waits for the banks."""
    enrollment = enrolled(cast.alice)
    late, asked = (announced(enrollment, cast.alice, charge_on=in_days(-2), status=each) for each in WAITING)
    saturday = in_days(3) + dt.timedelta(days=(5 - in_days(3).weekday()) % 7)
    ahead = announced(enrollment, cast.alice, charge_on=saturday)
    AutopayEnrollment.objects.update(status=status, limit_cents=18_499, paused_until=in_days(90))
    AutopayCharge.objects.filter(pk__in=[late.pk, ahead.pk]).update(code="approved")
    enrollment.refresh_from_db()
    account = make_account(cast.alice)
    changing.change(enrollment, cast.alice.user, replace(terms.of(enrollment), method=account), AGREED)
    for each, day in ((late, scheduling.first_day()), (asked, scheduling.first_day()), (ahead, saturday)):
        each.refresh_from_db()
        assert (each.method, each.charge_on) == (account, next_banking_day(day))
    told = Event.objects.filter(kind="autopay.changed").order_by("pk").values_list("data__charge_id", flat=True)
    assert list(told) == [late.pk, asked.pk, ahead.pk]


def test_a_limit_and_who_was_left_out_reach_what_is_announced_already(cast: Cast) -> None:
    """The words that are agreed to say so; what the member said yes to is not asked about again, and each is told."""
    enrollment = enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.maya))
    charge, mayas = announced(enrollment, cast.alice), announced(enrollment, cast.maya, status="queued")
    low, agreed_to = (
        announced(enrollment, cast.alice, amount_cents=9_999),
        announced(enrollment, cast.alice, code="approved"),
    )
    wanted = replace(terms.of(enrollment), members=(cast.alice,), limit_cents=10_000)
    changing.change(enrollment, cast.alice.user, wanted, AGREED)
    assert [stands(each) for each in (charge, mayas, low, agreed_to)] == [
        ("asked", ""), ("not_needed", "not_chosen"), ("announced", ""), ("announced", "approved"),
    ]  # fmt: skip
    assert Event.objects.get(kind="autopay.asked").data["charge_id"] == charge.pk
    changing.change(enrollment, cast.alice.user, replace(wanted, limit_cents=20_000), AGREED)
    assert stands(charge) == ("announced", "")
    assert Event.objects.get(kind="autopay.changed").data["charge_id"] == charge.pk


def test_a_change_keeps_the_rules_and_needs_ones_own_autopay(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    with pytest.raises(MethodUnfit):
        changing.change(enrollment, cast.alice.user, make_terms(cast.alice, method=make_card(cast.bob)), AGREED)
    with pytest.raises(NotOn):
        changing.change(enrollment, cast.bob.user, make_terms(cast.bob), AGREED)
    assert enrollment.consents.count() == 1


def test_another_method_starts_again_what_was_stopped_for_want_of_one(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    AutopayEnrollment.objects.update(status="suspended", suspended_code="method_unusable")
    changing.change(enrollment, cast.alice.user, make_terms(cast.alice), AGREED)
    enrollment.refresh_from_db()
    assert (enrollment.status, enrollment.suspended_code) == ("active", "")


def test_a_pause_holds_until_its_day_and_can_be_ended_before(cast: Cast) -> None:
    """What was queued waits again; resumed, nothing is charged before tomorrow."""
    enrollment = enrolled(cast.alice)
    charge = announced(enrollment, cast.alice, charge_on=in_days(0), status="queued")
    with pytest.raises(AutopayError, match="after today"):
        changing.pause(enrollment, cast.alice.user, until=in_days(0))
    changing.pause(enrollment, cast.alice.user, until=in_days(40))
    assert status_of(enrollment) == "paused"
    assert stands(charge) == ("announced", "")
    assert single.is_open(AutopayCharge.objects.get(pk=charge.pk))  # while it is paused it can be skipped
    changing.resume(enrollment, cast.alice.user)
    charge.refresh_from_db()
    assert (status_of(enrollment), charge.charge_on) == ("active", scheduling.first_day())
    with pytest.raises(NotOn):
        changing.resume(enrollment, cast.alice.user)


def test_a_stop_calls_off_all_that_has_not_gone_and_says_what_has(cast: Cast) -> None:
    """A06, D27: queued charges too; turned on again, it is another enrolment."""
    enrollment = enrolled(cast.alice)
    kept = {status: announced(enrollment, cast.alice, status=status) for status in ("announced", "asked", "queued")}
    sent = announced(enrollment, cast.alice, status="sent", amount_cents=4_000)
    outcome = changing.stop(enrollment, actor="user:1")
    assert (outcome.called_off, outcome.on_its_way_cents) == (3, 4_000)
    assert {stands(charge) for charge in kept.values()} == {("not_needed", "off")}
    assert stands(sent) == ("sent", "")
    assert status_of(enrollment) == "ended"
    with pytest.raises(NotOn):
        changing.stop(enrollment, actor="user:1")
    assert enrolled(cast.alice).pk != enrollment.pk


def test_a_charge_is_skipped_and_taken_back_in_until_its_cut_off(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    charge = announced(enrollment, cast.alice)
    single.skip(charge, cast.alice.user)
    assert stands(charge) == ("skipped", "member")
    charge.refresh_from_db()
    AutopayEnrollment.objects.update(limit_cents=100)
    single.take_back_in(charge, cast.alice.user)
    assert stands(charge) == ("announced", "approved"), "a yes to an amount above the limit"
    AutopayCharge.objects.filter(pk=charge.pk).update(charge_on=timezone.localdate())
    for act in (
        lambda: single.skip(charge, cast.alice.user),
        lambda: single.move(charge, cast.alice.user, on=in_days(3)),
        lambda: single.pay_with(charge, cast.alice.user, method=make_card(cast.alice)),
    ):
        with pytest.raises(PastCutOff, match="too late"):
            act()
    assert stands(charge) == ("announced", "approved")


def test_a_bill_says_that_its_charge_was_skipped_and_not_that_autopay_pays_it(cast: Cast) -> None:
    charge = announced(enrolled(cast.alice), cast.alice)
    viewer = scope_of(cast.alice.user)

    def says() -> str:
        note = notes.of_bill(charge.bill, viewer)
        assert note is not None and str(charge.pk) in note.href
        return note.text

    assert says().startswith("Autopay on ")
    single.skip(charge, cast.alice.user)
    assert says() == "Autopay leaves this one out: you said so"
    charge.refresh_from_db()
    single.take_back_in(charge, cast.alice.user)
    assert says().startswith("Autopay on ")


def test_the_cut_off_is_midnight_before_the_day(cast: Cast) -> None:
    """D27: one second before it, skipped; one second after, not."""
    charge = announced(enrolled(cast.alice), cast.alice)
    midnight = timezone.make_aware(dt.datetime.combine(charge.charge_on, dt.time.min))
    with mock.patch("django.utils.timezone.now", return_value=midnight), pytest.raises(PastCutOff):
        single.skip(charge, cast.alice.user)
    with mock.patch("django.utils.timezone.now", return_value=midnight - dt.timedelta(seconds=1)):
        single.skip(charge, cast.alice.user)
    assert stands(charge)[0] == "skipped"


def test_a_charge_is_moved_to_a_day_on_which_it_can_be_made(cast: Cast) -> None:
    """A bank account to the next banking day; neither today nor years ahead."""
    charge = announced(enrolled(cast.alice, make_terms(cast.alice, method=make_account(cast.alice))), cast.alice)
    for day in (timezone.localdate(), in_days(200)):
        with pytest.raises(AutopayError, match="Choose a day from"):
            single.move(charge, cast.alice.user, on=day)
    saturday = in_days(3) + dt.timedelta(days=(5 - in_days(3).weekday()) % 7)
    assert single.move(charge, cast.alice.user, on=saturday).charge_on.weekday() in (0, 1)


def test_another_method_for_one_charge_may_and_can_pay(cast: Cast) -> None:
    """RULES 2: an FSA pays no premium this once either."""
    enrollment = enrolled(cast.alice, premium_terms(cast.alice))
    charge = announced(enrollment, cast.alice)
    for method in (make_card(cast.alice, label="fsa"), make_card(cast.bob), make_card(cast.alice, expires_year=2020)):
        with pytest.raises(MethodUnfit):
            single.pay_with(charge, cast.alice.user, method=method)
    other = make_card(cast.alice)
    assert single.pay_with(charge, cast.alice.user, method=other).method == other
    enrollment.refresh_from_db()
    assert enrollment.method != other


def test_what_is_above_the_limit_waits_for_a_yes_or_a_no(cast: Cast) -> None:
    """A yes that comes after the day makes it on the next; a second answer finds it answered."""
    enrollment = enrolled(cast.alice)
    first, second = (announced(enrollment, cast.alice, status="asked", charge_on=in_days(day)) for day in (-1, 5))
    assert single.answer(first, cast.alice.user, is_yes=True).charge_on == scheduling.first_day()
    assert stands(first) == ("announced", "approved")
    single.answer(second, cast.alice.user, is_yes=False)
    assert stands(second) == ("skipped", "declined_by_member")
    for charge in (first, second):
        with pytest.raises(NotWaiting):
            single.answer(charge, cast.alice.user, is_yes=True)


def test_a_charge_is_its_members_alone_and_of_autopay_that_is_on(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    charge = announced(enrollment, cast.alice)
    with pytest.raises(NotWaiting):
        single.skip(charge, cast.bob.user)
    AutopayEnrollment.objects.update(status="ended")
    with pytest.raises(NotWaiting, match="turned off"):
        single.skip(charge, cast.alice.user)


def test_what_moved_on_is_not_moved_back(cast: Cast) -> None:
    """The run took it in the meantime."""
    charge = announced(enrolled(cast.alice), cast.alice, status="queued")
    for act in (single.skip, single.take_back_in):
        with pytest.raises(NotWaiting):
            act(charge, cast.alice.user)
    assert enrolling.standing(terms.of_subject(charge.enrollment), cast.alice.user) == charge.enrollment
