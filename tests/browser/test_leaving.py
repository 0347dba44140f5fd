"""In a real browser: Bob turns 18, and Alice loses sight of him at midnight; a leaving is planned and called off."""

import datetime as dt
from collections.abc import Callable
from importlib import import_module
from typing import Any

import time_machine
from django.conf import settings
from django.utils import timezone

from accounts import departures
from accounts.models import Member
from activity.models import Event
from bills.models import Bill
from notifications import tasks
from notifications.models import Notification
from payments import departing
from payments.models import AutopayEnrollment
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import shoot
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.autopay.making import enrolled, make_terms

HER_LETTERS = (("Street address or PO box", "9 Elm Street"), ("City", "Fresno"), ("State", "CA"), ("ZIP code", "93650"))
BOBS, MAYAS = "$123.45", "$67.89"


def test_bob_turns_18_and_alice_loses_sight_of_him_at_midnight(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], set_clock: Callable[[dt.datetime], None]
) -> None:
    """Before midnight all is as it was; after it no row, no sum, no notice, by the date alone; then as Bob decides."""
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    bob = real_cast.bob
    Member.objects.filter(pk=bob.pk).update(
        birth_date=tomorrow.replace(year=tomorrow.year - 18), joined_on=dt.date(2012, 1, 1)
    )
    bill = make_bill(bob, amount_cents=12_345, title="Visit of Bob's")
    make_bill(real_cast.maya, amount_cents=6_789, title="Visit of Maya's")
    enrolled(real_cast.alice, make_terms(real_cast.alice, real_cast.alice, bob))
    assert departures.foresee_all(timezone.localdate()) == 1
    tasks.work_off()
    midnight = timezone.make_aware(dt.datetime.combine(tomorrow, dt.time.min))
    set_clock(midnight - dt.timedelta(minutes=20))
    page = sign_in(real_cast.alice.user)
    sees(page, site, bill, is_seen=True)
    plan_and_call_off(page, site, real_cast, at=midnight - dt.timedelta(minutes=20))

    set_clock(midnight + dt.timedelta(seconds=1))
    sees(page, site, bill, is_seen=False)  # before any task has run
    with time_machine.travel(midnight + dt.timedelta(minutes=2)):
        assert departing.run() == 1
        tasks.work_off()
    assert list(AutopayEnrollment.objects.get().members.all()) == [real_cast.alice]
    kinds = set(Notification.objects.filter(user=bob.user).values_list("kind", flat=True))
    assert {"of_age_ahead", "departure_done"} <= kinds

    his = sign_in(bob.user)
    his.goto(f"{site}/bills/{bill.number}/")
    assert BOBS in his.inner_text("main")
    prove(his, bob.user_id, at=midnight)
    his.goto(f"{site}/family/sight/")
    shoot(his, "sight")
    assert_accessible(his)
    his.get_by_role("button", name="Let them see and pay").click()
    assert_accessible(his)
    sees(page, site, bill, is_seen=True)
    his.get_by_role("button", name="Let only me see them").click()
    his.wait_for_selector("text=Only you see your bills")
    sees(page, site, bill, is_seen=False)


def sees(page: Any, site: str, bill: Bill, *, is_seen: bool) -> None:
    """Whether the bill is in the lists, the sums and at its own address."""
    for path in ("overview/", "bills/", "family/", "family/owes/", "notifications/", "autopay/"):
        page.goto(f"{site}/{path}")
        text = page.inner_text("main")
        assert is_seen or (BOBS not in text and "Bob" not in text), path
    page.goto(f"{site}/family/")
    assert (BOBS in page.inner_text("main")) == is_seen
    assert ("$191.34" in page.inner_text("main")) == is_seen  # together with Maya's
    answer = page.goto(f"{site}/bills/{bill.number}/")
    assert answer.status == (200 if is_seen else 404)


def plan_and_call_off(page: Any, site: str, cast: Cast, *, at: dt.datetime) -> None:
    """The wizard, from choosing Maya to the review and back."""
    page.goto(f"{site}/family/leaving/")
    shoot(page, "leaving")
    assert_accessible(page)
    prove(page, cast.alice.user_id, at=at)
    page.get_by_role("link", name="See what happens for Maya").click()
    shoot(page, "leaving-one")
    assert_accessible(page)
    assert MAYAS in page.inner_text("main")
    page.get_by_label("Divorce or separation").check()
    for label, text in HER_LETTERS:  # Maya has no sign-in: letters have to reach her
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Review").click()
    page.wait_for_selector("text=Nothing has changed yet")
    shoot(page, "leaving-review")
    assert_accessible(page)
    assert not Event.objects.filter(kind="departure.planned").exists()
    page.get_by_role("button", name="Plan it").click()
    page.wait_for_selector("text=Last day:")
    assert_accessible(page)
    page.get_by_role("button", name="Call it off").click()
    page.wait_for_selector("text=Everything stays as it was")
    assert Member.objects.get(pk=cast.maya.pk).left_on is None
    page.goto(f"{site}/family/leaving/{cast.maya.pk}/death/")
    assert_accessible(page)


def prove(page: Any, user_id: int | None, *, at: dt.datetime) -> None:
    """What proving who one is leaves in the session, at the portal's moment; the form has its own tests."""
    cookie = next(each for each in page.context.cookies() if each["name"] == settings.SESSION_COOKIE_NAME)
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookie["value"])
    session["account_authentication_methods"] = [{"method": "password", "at": at.timestamp(), "reauthenticated": True}]
    session["account_authentication_methods_user"] = str(user_id)
    session.save()
