"""Every route, every method, every role, every relation to the object: generated from the table of addresses.

FAULTS F01, F02, F32, H05, H19, O03. A route without a policy fails; so does an address whose kwarg nobody explained in
tests/access/objects.py.
"""

import io
import re
from typing import Any

import pypdf
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.policies import Policy
from tests.access.objects import Objects, World
from tests.access.relations import ACTING, FORMER, MEMBERS, SERVICE, SIGNED_IN, UNNAMED, asked_of
from tests.access.routes import Route, all_routes

ROUTES = all_routes()
OF_MEMBERS = [route for route in ROUTES if route.policy in (Policy.MEMBER, Policy.SIGNED_IN)]
OF_OBJECTS = [route for route in ROUTES if route.keys and route.policy in (Policy.MEMBER, Policy.SIGNED_IN, Policy.API)]
OF_OBJECTS += [route for route in ROUTES if route.name.startswith("mfa_") and route.keys]
OF_STAFF = [route for route in ROUTES if route.policy is Policy.STAFF]
WITH_FORMS = [route for route in ROUTES if route.policy not in (Policy.MACHINE, Policy.STAFF)]
METHODS = ("GET", "HEAD", "POST", "OPTIONS")
UNDECLARED = ("PUT", "PATCH", "DELETE")
NOT_MEMBERS = ("staff", "staff_without_factor", *FORMER)


def named(route: Route) -> str:
    return str(route)


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_every_route_declares_a_policy(route: Route) -> None:
    assert route.policy is not None, (
        f"{route} declares no policy: put @allow(Policy.…) from accounts.policies on its view"
    )


@pytest.mark.parametrize("route", [route for route in ROUTES if route.namespace != "admin"], ids=named)
def test_every_kwarg_of_an_address_is_explained(route: Route, world: World) -> None:
    missing = [key for key in route.keys if key not in world.objects]
    assert not missing, f"{route}: add a line for {missing} to `objects` in tests/access/objects.py"


@pytest.mark.parametrize("route", OF_MEMBERS, ids=named)
def test_who_is_not_signed_in_is_led_to_sign_in(route: Route, world: World, clients: dict[str, Client]) -> None:
    """By every method, and whether or not the object exists (F32)."""
    for values in every_object(route, world):
        for method in (*METHODS, *UNDECLARED):
            answer = send(clients["anonymous"], method, route.address(values))
            assert answer.status_code == 302, f"{method}: {answer.status_code}"
            assert answer["Location"].startswith("/accounts/login/?next="), method


@pytest.mark.parametrize("route", [r for r in ROUTES if r.policy is Policy.API], ids=named)
def test_an_app_that_is_not_signed_in_is_told_so(route: Route, world: World, clients: dict[str, Client]) -> None:
    for values in every_object(route, world):
        for method in (*METHODS, *UNDECLARED):
            assert send(clients["anonymous"], method, route.address(values)).status_code in (401, 403, 404, 405), method


@pytest.mark.parametrize("route", [r for r in OF_MEMBERS if r.policy is Policy.MEMBER], ids=named)
def test_who_is_no_member_and_acts_for_nobody_is_led_to_enrolment(
    route: Route, world: World, clients: dict[str, Client]
) -> None:
    """Whether or not the object exists: staff, and whose leave ran out, was ended, or ended with a request (F17).

    Of objects the latter are asked below.
    """
    for role in NOT_MEMBERS[: 2 if route.keys else None]:
        for values in every_object(route, world):
            for method in METHODS:
                answer = send(clients[role], method, route.address(values))
                assert (answer.status_code, answer["Location"]) == (302, "/enroll/"), f"{role} {method}"


@pytest.mark.parametrize("route", [r for r in OF_MEMBERS if not r.keys], ids=named)
@pytest.mark.parametrize("role", [*MEMBERS, *ACTING])
def test_a_page_of_ones_own_opens(route: Route, role: str, clients: dict[str, Client]) -> None:
    """And names nobody of whom the role sees nothing; to who may only pay, no service."""
    status, _where, text = seen(clients[role], "GET", route.address({}))
    assert status in (200, 302, 405), status
    assert told_of(route, role, text) == []


@pytest.mark.parametrize("route", OF_OBJECTS, ids=named)
def test_what_is_not_visible_does_not_exist(route: Route, world: World, clients: dict[str, Client]) -> None:
    """F01, F02: the same answer as to a missing id, by every method; and what is visible opens."""
    objects = only_object(route, world)
    methods = METHODS + (UNDECLARED if route.policy is Policy.API else ())
    key = route.keys[-1]
    for role in SIGNED_IN:
        missing = {method: seen(clients[role], method, route.address({key: objects.missing})) for method in methods}
        for owner in asked_of(role, set(objects.of)):
            address = route.address({key: objects.of[owner]})
            if owner in objects.seen[role]:
                status, _where, text = seen(clients[role], "GET", address)
                assert status in (200, 302, 405), f"{role} gets {status} for what is {owner}'s"
                told = told_of(route, role, text)
                assert told == [], f"{role} reads {told} on what is {owner}'s"
                continue
            for method in methods:
                answer = seen(clients[role], method, address)
                assert answer == missing[method], f"{role} {method} {owner}'s: {answer[0]} against {missing[method][0]}"
                assert answer[0] in allowed_refusals(route, role), f"{role} {method} {owner}'s: {answer[0]}"


@pytest.mark.parametrize("route", [r for r in ROUTES if r.policy not in (Policy.STAFF, Policy.API)], ids=named)
def test_a_method_that_is_not_declared_is_refused(route: Route, world: World, clients: dict[str, Client]) -> None:
    """O03. A view of a function says which it takes: `@require_http_methods`, `@require_GET`, `@require_POST`."""
    values = {key: next(iter(world.objects[key].of.values()), world.objects[key].missing) for key in route.keys}
    for method in UNDECLARED:
        assert send(clients["alice"], method, route.address(values)).status_code == 405, method


@pytest.mark.parametrize("route", WITH_FORMS, ids=named)
def test_a_form_without_its_token_is_refused(route: Route, world: World, clients: dict[str, Client]) -> None:
    """H19: from another site's page, with the member's cookies."""
    foreign = Client(enforce_csrf_checks=True)
    foreign.cookies = clients["alice"].cookies
    values = {key: next(iter(world.objects[key].of.values()), world.objects[key].missing) for key in route.keys}
    answer = foreign.post(route.address(values), headers={"origin": "https://evil.example"})
    assert answer.status_code == 403 or (route.policy is Policy.API and answer.status_code in (401, 404, 405))


@pytest.mark.parametrize("route", OF_STAFF, ids=named)
def test_the_staffs_side_is_closed_to_all_others(route: Route, clients: dict[str, Client]) -> None:
    """H05: members get 404; staff without a second factor are led to it; anonymous are led to sign in."""
    address = re.sub(r"<\w+>", "1", f"/{route.pattern}")
    for method in ("GET", "POST"):
        assert send(clients["anonymous"], method, address)["Location"].startswith("/accounts/login/"), method
        for role in ("alice", "bob", "charlie", "delegate", "revoked"):
            assert send(clients[role], method, address).status_code == 404, f"{role} {method}"
        answer = send(clients["staff_without_factor"], method, address)
        assert answer["Location"].startswith("/accounts/2fa/"), method


def test_every_kind_of_object_is_opened_by_somebody(world: World, clients: dict[str, Client]) -> None:
    """Lest a wrong value make every answer a 404 that looks right."""
    keys = {route.keys[-1] for route in OF_OBJECTS}
    opened = {
        key
        for key in keys
        for route in OF_OBJECTS
        if route.keys[-1] == key
        and any(
            send(clients[role], "GET", route.address({key: value})).status_code in (200, 302)
            for role in ("alice", "bob")
            for owner, value in world.objects[key].of.items()
            if owner in world.objects[key].seen[role]
        )
    }
    only_posted = keys - opened
    assert only_posted <= ONLY_POSTED, f"no page of {only_posted - ONLY_POSTED} opens"


# Objects that have no page of their own to get: their forms are tested where they are used.
ONLY_POSTED = {
    "incomes/source_id", "premiums/coverage_id", "payment-methods/method_id", "shares/share_id", "sent/invitation_id",
}  # fmt: skip


def told_of(route: Route, role: str, text: str) -> list[str]:
    """What a page says that the role must not read. An invitation names whom one is asked to act for: here Maya."""
    asked = {"Maya"} if route.name in ("invitations", "invitation") else set()
    return [word for word in UNNAMED[role] if word in text and word not in asked]


def only_object(route: Route, world: World) -> Objects:
    """The objects of the route's last kwarg. Routes of two objects need thought, and a line here."""
    assert len(route.keys) == 1, f"{route} names {len(route.keys)} objects: extend the matrix for it"
    return world.of(route.name, route.keys[0])


def every_object(route: Route, world: World) -> list[dict[str, object]]:
    """Values for the route's kwargs: the holder's, a confidential member's, and a missing one."""
    if not route.keys:
        return [{}]
    objects = only_object(route, world)
    values = [objects.of[owner] for owner in ("Alice", "Carla") if owner in objects.of]
    return [{route.keys[0]: value} for value in (*values, objects.missing)]


def allowed_refusals(route: Route, role: str) -> tuple[int, ...]:
    """404; 405 where the route has no such method; a view of a class answers OPTIONS by itself, without the object;
    who is nobody's is led to enrolment before any object is looked for."""
    if role in NOT_MEMBERS and route.policy is Policy.MEMBER:
        return (302,)
    return (404, 405, 200) if hasattr(route.view, "view_class") or hasattr(route.view, "cls") else (404, 405)


def send(client: Client, method: str, address: str) -> HttpResponse:
    answer = client.generic(method, address)
    assert answer.status_code < 500, f"{method} {address}: {answer.status_code}"
    return answer


def seen(client: Client, method: str, address: str) -> tuple[int, str, str]:
    """What a client can tell an answer by: status, where it leads, and the text without address, tokens and nonces."""
    answer: Any = send(client, method, address)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = words_of_pdf(body) if answer.get("Content-Type") == "application/pdf" else body.decode()
    text = re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[^"]*"', "", text.replace(address, ""))
    assert method != "OPTIONS" or answer.status_code != 200 or not text
    return answer.status_code, answer.get("Location", "").replace(address, ""), text


def words_of_pdf(body: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(body)).pages)


def test_who_may_look_reads_what_who_may_only_pay_does_not(world: World, clients: dict[str, Client]) -> None:
    """The bite of the words above: the same bill says it to one and not to the other."""
    address = f"/bills/{world.objects['bills/number'].of['Bob']}/"
    assert SERVICE in seen(clients["view"], "GET", address)[2]
    assert SERVICE not in seen(clients["pay_only"], "GET", address)[2]
