"""Hostile query strings at every route that can be opened: refused or passed over, never a fault of ours.

FAULTS F05, I02, I04, I12, I16 to I19, O03.
"""

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.test import Client

from accounts.policies import Policy
from tests.access.objects import World
from tests.access.routes import Route, all_routes

# Whether the portal is ready hangs on no query, and asking costs seconds; the world's passkeys are names alone.
LEFT_OUT = {"health_ready", "mfa_add_webauthn", "mfa_reauthenticate_webauthn"}
OF_MEMBERS = [
    route for route in all_routes() if route.policy not in (Policy.STAFF, Policy.MACHINE) and route.name not in LEFT_OUT
]
# Every name that some route reads, and some that none does.
NAMES = (
    "page", "after", "person", "kind", "state", "since", "until", "provider", "least", "most", "coverage",
    "bill", "again", "payment_intent", "next", "size", "ordering", "format",
)  # fmt: skip
VALUES = (
    "a\0b", "9" * 30, "9" * 5000, "-1", "NaN", "\u0663\u0661", "0001-01-01", "9999-12-31", "' OR 1=1 --%s%(x)s{0}",
    "<script>alert(1)</script>", "\r\nSet-Cookie: a=b", "//evil.example", "x" * 10_000,
)  # fmt: skip
SEGMENTS = ("%00", "a%00b", "9" * 30, "%0d%0a", "%F0%9F%98%80", "%FF", "..%2f..%2f", "x" * 3000)


def named(route: Any) -> str:
    return str(route)


def opened(client: Client, address: str) -> Any:
    """Open an address to the last byte."""
    answer: Any = client.get(address)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code < 500, f"{answer.status_code} at {address[:200]}"
    assert b"<script>alert(1)" not in body
    assert "evil.example" not in answer.get("Location", "").partition("?")[0]
    assert "a=b" not in str(answer.cookies)
    return answer


def hostile_queries() -> list[str]:
    """Hostile values under every name at once, twice over, in five turns; then what is malformed as a whole."""
    every = [
        urlencode([(name, VALUES[(place + 3 * turn) % len(VALUES)]) for place, name in enumerate(NAMES * 2)])
        for turn in range(5)
    ]
    arrays = urlencode([(f"{name}[]", "1") for name in NAMES] + [("bill", "1")] * 300)
    return [*every, arrays, "%FF%FE=%00&&&==="]


@pytest.mark.parametrize("route", OF_MEMBERS, ids=named)
def test_no_query_string_is_a_fault_of_ours(route: Route, world: World, clients: dict[str, Client]) -> None:
    address = route.address(
        {key: next(iter(world.objects[key].of.values()), world.objects[key].missing) for key in route.keys}
    )
    for query in hostile_queries():
        opened(clients["alice"], f"{address}?{query}")


@pytest.mark.parametrize("name", ["bills", "payments"])
@pytest.mark.parametrize("field", NAMES[:10])
def test_no_single_filter_is_a_fault_of_ours(name: str, field: str, clients: dict[str, Client]) -> None:
    """One by one, so that no other field refuses the form first."""
    for value in VALUES:
        opened(clients["alice"], f"/{name}/?{urlencode({field: value})}")


@pytest.mark.parametrize("route", [route for route in OF_MEMBERS if route.keys], ids=named)
def test_no_segment_of_an_address_is_a_fault_of_ours(route: Route, clients: dict[str, Client]) -> None:
    for segment in SEGMENTS:
        answer = opened(clients["alice"], re.sub(r"<\w+>", segment, f"/{route.pattern}"))
        assert answer.status_code in (200, 302, 400, 404, 405), answer.status_code


@pytest.mark.parametrize("name", ["bills", "payments"])
def test_anothers_mark_of_a_page_gives_nothing_of_theirs(name: str, clients: dict[str, Client]) -> None:
    """F05: Charlie's, and a forged one, read by Alice."""
    for mark in ("PAY-Charlie", "WyJuZXh0IiwiMjAyNi0xMS0wMSIsIjEiXQ:1abcde:" + "x" * 43):
        answer = opened(clients["alice"], f"/{name}/?{urlencode({'after': mark, 'page': mark})}")
        assert b"Charlie" not in answer.content.replace(quote(mark).encode(), b"")
        assert answer.status_code in (200, 404)


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=named), ids=named)
def test_no_query_string_of_staff_is_a_fault_of_ours(model: Any, clients: dict[str, Client]) -> None:
    page: Any = admin.site._registry[model]
    filters = [getattr(each, "parameter_name", each) for each in page.list_filter]
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for value in ("a\0b", "9" * 30, "9" * 5000):
        opened(clients["staff"], f"{address}?{urlencode(dict.fromkeys('qop', value))}")
        for name in {*page.linked_by, *filters}:
            opened(clients["staff"], f"{address}?{urlencode({name: value})}")
