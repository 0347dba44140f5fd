"""A closed account is opened again by staff, and closed by them: with a role and a reason, and written down."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from accounts import departures
from accounts.models import Household
from accounts.roles import PERMISSIONS, Role
from activity.models import Event, WorkItem
from notifications import notices
from notifications.models import Notification
from payments import departing
from tests.conftest import Cast
from tests.payments.test_leaving import at_midnight_of
from tests.payments.test_succession import goes
from tests.staff.conftest import make_staff, sign_in

REASON = "They came back before the month was over."
FORM = {"reason": REASON, "key": "0123456789abcdef"}


@pytest.fixture
def closed(cast: Cast) -> Household:
    """Charlie's account, which Charlie left alone."""
    departure = goes(cast.charlie, None, days=1)
    with at_midnight_of(departure.on):
        departing.run()
    return Household.objects.get(pk=cast.charlie.household_id)


def page(household: Household, action: str) -> str:
    return f"/admin/accounts/household/{household.pk}/{action}/"


def test_it_opens_again_for_a_reason_and_its_holder_plans_as_before(cast: Cast, closed: Household) -> None:
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    shown = client.get(page(closed, "reopen")).content.decode()
    assert "Restored" in shown and "Not restored" in shown
    assert client.post(page(closed, "reopen"), FORM | {"reason": ""}).status_code == 422
    assert client.post(page(closed, "reopen"), FORM).status_code == 302
    assert client.post(page(closed, "reopen"), FORM).status_code == 422  # it is open by now
    assert Household.objects.get(pk=closed.pk).closed_on is None
    event = Event.objects.get(kind="household.reopened")
    assert (event.reason, event.owner_id, event.data) == (REASON, closed.pk, {"closed_on": str(closed.closed_on)})
    notices.make()
    told = Notification.objects.get(kind="account_reopened")
    assert told.user_id == cast.charlie.user_id
    with at_midnight_of(timezone.localdate() + dt.timedelta(days=2)):
        departing.run()  # the departure that closed it is done: it does not close it again
        assert Household.objects.get(pk=closed.pk).closed_on is None
        assert departures.planned(goes(cast.charlie, None).member) is not None


def test_it_is_closed_again_as_work_for_staff_and_never_over_others_heads(cast: Cast) -> None:
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    answer = client.post(page(cast.household, "close"), FORM)
    assert answer.status_code == 422 and "Others are on the account" in answer.content.decode()
    assert client.post(page(cast.strangers, "close"), FORM).status_code == 302
    assert Household.objects.get(pk=cast.strangers.pk).closed_on == timezone.localdate()
    item = WorkItem.objects.get(subject=f"household:{cast.strangers.number}")
    assert item.done_at is None
    assert client.post(page(cast.strangers, "reopen"), FORM).status_code == 302
    item.refresh_from_db()
    assert item.done_at is not None
    client.post(page(cast.strangers, "close"), FORM | {"reason": "Now they have gone for good."})
    assert WorkItem.objects.filter(subject=f"household:{cast.strangers.number}", done_at__isnull=True).count() == 1
    assert Event.objects.filter(kind="household.closed").count() == 2


def test_who_has_died_opens_nothing_again(cast: Cast, closed: Household) -> None:
    departures.record_death(cast.charlie, on=timezone.localdate(), by=cast.dana, reason="The certificate.")
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    assert client.post(page(closed, "reopen"), FORM).status_code == 422


@pytest.mark.parametrize("role", [role for role in Role if "accounts.add_departure" not in PERMISSIONS[role]])
def test_other_roles_do_neither(cast: Cast, closed: Household, role: Role) -> None:
    client = sign_in(Client(), make_staff(role))
    assert client.post(page(closed, "reopen"), FORM).status_code == 403
    assert client.post(page(cast.strangers, "close"), FORM).status_code == 403
    assert Household.objects.get(pk=closed.pk).closed_on is not None
