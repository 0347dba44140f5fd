"""What would make a charge fail or never come is found ahead of the run, told once, listed for staff, and closed."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Coverage, Member
from accounts.roles import Role
from activity.models import Event
from payments.autopay import changing, health, terms
from payments.models import AutopayProblem, Mandate, MethodShare
from tests.conftest import Cast
from tests.factories import make_coverage
from tests.payments.autopay.making import (
    AGREED,
    announced,
    enrolled,
    in_days,
    make_account,
    make_card,
    make_terms,
    premium_terms,
)
from tests.payments.pages import signed_in, text_of
from tests.staff.conftest import make_staff, sign_in

pytestmark = pytest.mark.django_db


def found() -> list[str]:
    """The codes of what is open after a look."""
    health.look()
    return sorted(AutopayProblem.objects.filter(closed_at__isnull=True).values_list("code", flat=True))


def test_all_is_well(cast: Cast) -> None:
    enrolled(cast.alice, premium_terms(cast.alice, method=make_account(cast.alice)))
    enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.maya))
    assert found() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"removed_at": timezone.now()}, "method_removed"),
        ({"blocked_at": timezone.now()}, "method_blocked"),
        ({"state": "pending"}, "method_unverified"),
        ({"expires_year": 2026, "expires_month": 1}, "card_expires"),
    ],
)
def test_a_method_that_cannot_pay_is_found_and_less_urgent_while_another_can(
    cast: Cast, change: dict[str, object], code: str
) -> None:
    """Told by mail where nothing can pay; where the second one does, on the page and in the list of staff alone."""
    enrollment = enrolled(cast.alice)
    type(enrollment.method).objects.filter(pk=enrollment.method_id).update(**change)
    assert found() == [code]
    enrollment.fallback = make_card(cast.alice)
    enrollment.save()
    assert found() == ["second_pays"]
    assert Event.objects.filter(kind="autopay.health").count() == 1
    page = text_of(signed_in(cast.alice).get(f"/autopay/{enrollment.pk}/"))
    assert "your second one pays" in page and "before the next payment" not in page
    type(enrollment.method).objects.filter(pk=enrollment.fallback_id).update(blocked_at=timezone.now())
    assert found() == [code]
    enrollment.method, enrollment.fallback = make_card(cast.alice), None
    enrollment.save()
    assert found() == []


def test_a_card_is_held_against_the_day_of_the_next_charge(cast: Cast) -> None:
    """Good today, expired by then."""
    today = timezone.localdate()
    card = make_card(cast.alice, expires_year=today.year, expires_month=today.month)
    enrollment = enrolled(cast.alice, make_terms(cast.alice, method=card))
    charge = announced(enrollment, cast.alice, days=0)
    assert found() == []
    charge.charge_on = today + dt.timedelta(days=40)
    charge.save()
    assert found() == ["card_expires"]
    assert AutopayProblem.objects.get().charge_on == charge.charge_on


def test_lost_mandates_and_ended_shares(cast: Cast) -> None:
    enrolled(cast.alice, make_terms(cast.alice, method=make_account(cast.alice)))
    card = make_card(cast.alice)
    share = MethodShare.objects.create(method=card, member=cast.bob)
    enrolled(cast.bob, make_terms(cast.bob, method=card))
    assert found() == []
    Mandate.objects.update(status="inactive")
    MethodShare.objects.filter(pk=share.pk).update(ended_at=timezone.now())
    assert found() == ["mandate_lost", "share_ended"]


def test_coverage_that_ended_was_replaced_or_costs_more_than_the_limit(cast: Cast) -> None:
    enrollment = enrolled(cast.alice, premium_terms(cast.alice, limit_cents=50_000))
    assert found() == ["above_limit"]
    Coverage.objects.update(subsidy_cents=30_000)
    assert found() == []
    Coverage.objects.update(subsidy_ends_on=in_days(20))  # the next premium is without
    assert found() == ["above_limit"]
    Coverage.objects.update(premium_cents=40_000, end_on=in_days(-1))
    assert found() == ["coverage_ended"]
    renewed = make_coverage(cast.alice, start_on=in_days(0))
    assert found() == ["coverage_replaced"]
    assert "new coverage" in text_of(signed_in(cast.alice).get(f"/autopay/{enrollment.pk}/"))
    enrolled(cast.alice, make_terms(cast.alice, subject=terms.Subject(covers="premium", coverage=renewed), members=()))
    assert found() == ["coverage_ended"]


def test_a_member_who_left_or_lost_sight(cast: Cast) -> None:
    """F27: also where the charge would simply never come."""
    enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.bob))
    assert found() == []
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    assert found() == ["not_payable"]
    cast.bob.confidential_since = None
    cast.bob.household = cast.strangers
    cast.bob.save()
    assert found() == ["not_payable"]


def test_it_is_told_once_closed_when_it_has_gone_and_told_again_when_it_comes_back(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    card = enrollment.method
    type(card).objects.filter(pk=card.pk).update(state="pending")
    assert (health.look().opened, health.look().opened) == (1, 0)
    event = Event.objects.get(kind="autopay.health")
    assert (event.data["code"], event.subject) == ("method_unverified", f"autopay:{enrollment.pk}")
    assert "not verified" in text_of(signed_in(cast.alice).get(f"/autopay/{enrollment.pk}/"))
    changing.change(enrollment, cast.alice.user, make_terms(cast.alice), AGREED)
    assert "not verified" not in text_of(signed_in(cast.alice).get(f"/autopay/{enrollment.pk}/"))
    assert found() == []
    changing.change(enrollment, cast.alice.user, make_terms(cast.alice, method=make_card(cast.alice)), AGREED)
    type(card).objects.update(state="pending")
    health.look()
    assert Event.objects.filter(kind="autopay.health").count() == 2
    changing.stop(enrollment, actor="system")
    assert found() == []


def test_staff_see_the_list_with_counts(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    type(enrollment.method).objects.update(state="pending")
    health.look()
    staff = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    page = staff.get("/admin/payments/autopayproblem/").content.decode()
    assert "Bank account not verified (1)" in page
    assert "4410-2297" in page
    enrollment.fallback = make_card(cast.alice)
    enrollment.save()
    health.look()
    page = staff.get("/admin/payments/autopayproblem/").content.decode()
    assert "the second one pays meanwhile (1)" in page and "Bank account not verified" not in page


def test_who_grew_up_on_the_account_is_no_longer_paid_for_by_its_holder(cast: Cast) -> None:
    """F17: as a confidential request does; and nothing is said of why."""
    enrolled(cast.alice, make_terms(cast.alice, cast.alice, cast.maya))
    assert found() == []
    Member.objects.filter(pk=cast.maya.pk).update(birth_date="2008-01-01", joined_on="2012-01-01")
    assert found() == ["not_payable"]
