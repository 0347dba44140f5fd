"""Every page that a member can open, from the table of addresses: axe, headings, titles, narrow screens.

A route that is added is walked by itself; one that leads elsewhere is named here with the reason, and a name that is no
longer needed fails too.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.policies import Policy
from bills import premiums
from bills.models import Accumulator
from payments.states import PaymentStatus
from tests.access.conftest import prove
from tests.access.objects import World, make_world
from tests.access.routes import Route, all_routes
from tests.bills.test_claim_pages import make_claim
from tests.browser.accessibility import hold, walk_with_axe
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_payment

ROUTES = [route for route in all_routes() if route.policy in (Policy.MEMBER, Policy.SIGNED_IN)]
# What a page has to be asked before it has anything to show.
ASKED = {"autopay_terms": "?for=medical"}
# Routes that lead elsewhere as Alice's objects stand, with the reason, or with the test that walks them.
LED_ON = {
    "application": "a draft is led to its first step; a sent one: test_assistance",
    "application_letter": "a file once a letter was written; before that it leads to the application",
    "notification": "leads to what the notice is about",
    "autopay_review": "a step that needs the one before: test_autopay",
    "plan_terms": "a step that needs the one before: test_plans",
    "plan_sign": "a step that needs the one before: test_plans",
    "plan_change_sign": "a step that needs the one before: test_plans",
    "pay_review": "a step that needs the one before: test_paying",
    "pay_authenticate": "a step that needs the one before: test_paying",
    "payment_schedule": "of a payment that is scheduled: test_split_and_later",
    "payment_mandate": "of a bank account: test_bank_account",
    "payment_return": "leads to the receipt",
    "payment_method_verify": "of a bank account: test_bank_account",
    "payment_method_mandate": "of a bank account: test_bank_account",
}
SECONDS = 900  # of a walk on a busy machine
# Pages again in another state: nothing found, a filter that is refused, nothing there.
AGAIN = (
    "bills/?state=void",
    "bills/?from=2026-13-01",
    "bills/NONE-0000/",
    "help/",
    "accounts/email/",
    "accounts/logout/",
    "accounts/password/change/",
    "accounts/sessions/",
)


@pytest.fixture
def world(real_cast: Cast) -> World:
    """An object of every kind that an address can name, in a household that lives."""
    made = make_world(real_cast)
    live(real_cast)
    return made


def live(real_cast: Cast) -> None:
    """A household as in real life: late, due, partly paid and paid bills, premiums, six months of payments."""
    alice, maya, today = real_cast.alice, real_cast.maya, timezone.localdate()
    late = make_bill(maya, due_on=today - dt.timedelta(days=18))
    make_bill(alice, amount_cents=12_640, title="Laboratory", provider_name="Oakridge Pathology", lines=())
    waiting = make_bill(real_cast.bob, amount_cents=4_200, title="Physical therapy", provider_name="Lakeside Therapy")
    make_payment({waiting: 4_200}, payer=alice.user, status=PaymentStatus.PROCESSING)
    for back in range(6):
        old = make_bill(alice, amount_cents=53_100 + back * 7_300, due_on=today - dt.timedelta(days=30 * back + 5))
        make_payment({old: old.amount_cents}, payer=alice.user, on=today - dt.timedelta(days=30 * back))
    coverage = make_coverage(alice, real_cast.bob, maya, subsidy_cents=12_000)
    make_coverage(alice, kind="medigap", plan_name="Medigap G", premium_cents=14_000)
    make_claim(maya, bill=late)
    make_claim(maya, status="replaced", member_owes_cents=25_000)
    premiums.issue_ahead(coverage, through=premiums.month_after(today))
    Accumulator.objects.filter(member=alice).update(deductible_cents=124_000, out_of_pocket_cents=201_500)


def address(route: Route, world: World) -> str:
    """The address of the first object that Alice sees, with what the page has to be asked."""
    objects = {key: world.of(route.name, key) for key in route.keys}
    values = {key: next(of.of[owner] for owner in of.of if owner in of.seen["alice"]) for key, of in objects.items()}
    return route.address(values) + ASKED.get(route.name, "")


def answers(world: World, client: Client) -> dict[str, Any]:
    """What each route says to Alice who asks for its page."""
    return {route.name: client.get(address(route, world)) for route in ROUTES}


def is_page(answer: Any) -> bool:
    """Whether it is a page: not a file, a part of a page, or a route that only takes the form of a page."""
    return answer.status_code == 200 and not answer.streaming and b"<html" in answer.content


def test_a_page_is_left_out_of_the_walk_by_name_alone(cast: Cast) -> None:
    """So that a page that is added is walked, or somebody says why not."""
    found = answers(make_world(cast), prove(Client(), cast.alice.user))
    odd = {name: answer.status_code for name, answer in found.items() if answer.status_code not in (200, 302, 405)}
    assert odd == {}
    assert {name for name, answer in found.items() if answer.status_code == 302} == set(LED_ON)


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_of_a_member_is_accessible(
    language: str, site: str, world: World, real_cast: Cast, sign_in: Callable[..., Any]
) -> None:
    """With everything on it, for somebody who has proved a moment ago who she is."""
    page, proved = sign_in(real_cast.alice.user, language=language), prove(Client(), real_cast.alice.user)
    session = proved.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
    walk_with_axe(page)
    pages = [address(route, world) for route in ROUTES if is_page(proved.get(address(route, world)))]
    found = []
    for path in (*pages, *(f"/{path}" for path in AGAIN)):
        page.goto(f"{site}{path}")
        try:
            assert page.url == f"{site}{path}", f"{path} led to {page.url}"
            hold(page, language)
        except AssertionError as error:
            found.append(str(error))
    assert not found, "\n".join(found)
