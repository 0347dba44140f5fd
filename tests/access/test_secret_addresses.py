"""Addresses that are a secret themselves, a guest's link and a calendar's feed: whoever asks, and by whatever method.

Such an address opens the one thing that it was made for to whoever has it, and knows nobody by their sign-in; one that
ended is as one that never was (FAULTS G05).
"""

import datetime as dt

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bills.models import Bill
from ledger.money import format_usd
from payments import guest_links
from payments.autopay import feed
from payments.models import GuestLink
from tests.access.conftest import ROLES
from tests.access.objects import World
from tests.access.relations import NAMES, SERVICE
from tests.access.test_matrix import METHODS, UNDECLARED, seen, send

NOT_FOR_SAYING = (*NAMES, "Rivera", SERVICE)


def link_of(world: World, owner: str) -> str:
    """A link to pay what is somebody's, made by the account holder."""
    bill = Bill.objects.get(number=world.objects["bills/number"].of[owner])
    link = guest_links.ensure(bill, GuestLink.Purpose.SHARED, user_id=world.users["alice"].pk)
    return guest_links.address(link).removeprefix(settings.PORTAL_URL)


@pytest.mark.parametrize("role", ROLES)
def test_a_link_that_ended_is_as_one_that_never_was(world: World, clients: dict[str, Client], role: str) -> None:
    """Revoked, run out, of a bill that is no guest's to see, or not ours."""
    revoked, run_out = link_of(world, "Bob"), link_of(world, "Maya")
    bills = {owner: world.objects["bills/number"].of[owner] for owner in ("Bob", "Maya")}
    GuestLink.objects.filter(bill__number=bills["Bob"]).update(revoked_at=timezone.now())
    GuestLink.objects.filter(bill__number=bills["Maya"]).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    for method in (*METHODS, *UNDECLARED):
        never = seen(clients[role], method, reverse("guest_link", args=["no-token"]))
        for address in (revoked, run_out):
            assert seen(clients[role], method, address) == never, f"{method} {address}"


@pytest.mark.parametrize("role", ROLES)
def test_a_link_opens_its_bill_and_names_nobody(world: World, clients: dict[str, Client], role: str) -> None:
    address = link_of(world, "Bob")
    answer = send(clients[role], "GET", address)
    assert answer.status_code in (200, 302), answer.status_code
    page = clients[role].get(answer["Location"] if answer.status_code == 302 else address).content.decode()
    owed = Bill.objects.select_related("receivable").get(number=world.objects["bills/number"].of["Bob"]).balance_cents
    assert format_usd(owed) in page
    told = [name for name in NOT_FOR_SAYING if name in page.partition("<main")[2].partition("</main>")[0]]
    assert told == []


@pytest.mark.parametrize("role", ROLES)
def test_a_feed_says_the_same_to_all_and_nothing_once_it_ended(
    world: World, clients: dict[str, Client], role: str
) -> None:
    address = feed.renew(world.users["alice"], states_amounts=True)
    status, _where, text = seen(clients[role], "GET", address)
    assert status == 200 and text.startswith("BEGIN:VCALENDAR")
    assert [name for name in NOT_FOR_SAYING if name in text] == []
    feed.end(world.users["alice"])
    for method in (*METHODS, *UNDECLARED):
        never = seen(clients[role], method, reverse("calendar_feed", args=["no-token"]))
        assert seen(clients[role], method, address) == never, method
