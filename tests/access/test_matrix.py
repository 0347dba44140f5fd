"""Every route, every method, every role, every relation to the object: generated from the table of addresses.

FAULTS F01, F02, F32, H05, H19, O03. A route without a policy fails; so does an address whose kwarg nobody explained in
tests/access/objects.py.
"""

import copy
import io
import re
from functools import cache
from typing import Any

import pypdf
import pytest
from django.apps import apps
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotFound
from django.test import Client
from weasyprint import HTML

from accounts.policies import Policy
from billing_portal import urls
from bills import pdf
from tests.access.objects import Objects, World
from tests.access.relations import ACTING, FORMER, MEMBERS, SERVICE, SIGNED_IN, UNNAMED
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
ASK_THE_PROVIDER = {"payment_method_setup", "payment_method_remove"}  # by POST, outside of any transaction
NOT_STAFF = tuple(role for role in SIGNED_IN if role != "staff")


def named(route: Route) -> str:
    return str(route)


class Words(HTML):  # type: ignore[misc]  # the library has no types
    """A document before it is set: the matrix reads its words, and other tests that it is a PDF."""

    def __init__(self, *, string: str, **_options: object) -> None:
        self.words = string

    def write_pdf(self, **_options: object) -> bytes:
        """The words."""
        return self.words.encode()


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what costs the time and tells nothing of who asks: the page that says there is nothing, typesetting."""
    monkeypatch.setattr(urls, "handler404", lambda request, exception: HttpResponseNotFound("nothing"), raising=False)
    monkeypatch.setattr(pdf, "HTML", Words)


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

    Of objects all but one of them are asked below.
    """
    for role in ("staff_without_factor",) if route.keys else NOT_MEMBERS:
        for values in every_object(route, world):
            for method in METHODS:
                answer = send(clients[role], method, route.address(values))
                assert (answer.status_code, answer["Location"]) == (302, "/enroll/"), f"{role} {method}"


@pytest.mark.parametrize("route", [r for r in OF_MEMBERS if not r.keys], ids=named)
def test_a_page_of_ones_own_opens(route: Route, clients: dict[str, Client]) -> None:
    """And names nobody of whom the role sees nothing, by whatever method; to who may only pay, no service."""
    for role in (*MEMBERS, *ACTING):
        status, _where, text = seen(clients[role], "GET", route.address({}))
        assert status in (200, 302, 405), f"{role}: {status}"
        assert told_of(route, role, text) == [], role
        for method in METHODS[1:]:
            told = told_of(route, role, seen_and_undone(clients[role], method, route.address({}))[2])
            assert told == [], f"{role} {method}"


@pytest.mark.parametrize("route", OF_OBJECTS, ids=named)
def test_what_is_not_visible_does_not_exist(route: Route, world: World, clients: dict[str, Client]) -> None:
    """F01, F02: the same answer as to a missing id, by every method; and what is visible opens."""
    objects = only_object(route, world)
    methods = METHODS + (UNDECLARED if route.policy is Policy.API else ())
    key = route.keys[-1]
    for role in SIGNED_IN:
        for owner in sorted(objects.seen[role] & objects.of.keys()):
            address = route.address({key: objects.of[owner]})
            status, _where, text = seen(clients[role], "GET", address)
            assert status in (200, 302, 405), f"{role} gets {status} for what is {owner}'s"
            told = told_of(route, role, text)
            assert told == [], f"{role} reads {told} on what is {owner}'s"
            for method in methods[1:]:
                if method == "POST" and route.name in ASK_THE_PROVIDER:
                    continue
                told = told_of(route, role, seen_and_undone(clients[role], method, address)[2])
                assert told == [], f"{role} reads {told} by {method} of what is {owner}'s"
        missing = {method: seen(clients[role], method, route.address({key: objects.missing})) for method in methods}
        for method in methods:
            assert missing[method][0] in allowed_refusals(route, role), f"{role} {method}: {missing[method][0]}"
        for owner in sorted(objects.of.keys() - objects.seen[role]):
            for method in methods:
                answer = seen(clients[role], method, route.address({key: objects.of[owner]}))
                assert answer == missing[method], f"{role} {method} {owner}'s: {answer[0]} against {missing[method][0]}"


def test_the_page_of_what_is_not_there_is_the_same_for_what_is_hidden(
    world: World, clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real one, which the matrix leaves out for its time."""
    monkeypatch.undo()
    objects = world.objects["bills/number"]
    for role in (*MEMBERS, *ACTING):
        status, _where, text = seen(clients[role], "GET", f"/bills/{objects.missing}/")
        assert status == 404 and "find that page" in text
        for owner in objects.of.keys() - objects.seen[role]:
            assert seen(clients[role], "GET", f"/bills/{objects.of[owner]}/") == (404, "", text), f"{role} {owner}"


@pytest.mark.parametrize("route", [r for r in ROUTES if "guest-pay/number" in r.keys], ids=named)
def test_a_guests_payment_is_of_its_visit_alone(route: Route, world: World, clients: dict[str, Client]) -> None:
    """Whoever asks for it without having made it in this visit, be it the bill's own member."""
    objects = world.objects["guest-pay/number"]
    for role in ("anonymous", *SIGNED_IN):
        for method in METHODS:
            missing = seen(clients[role], method, route.address({"guest-pay/number": objects.missing}))
            for owner, number in objects.of.items():
                answer = seen(clients[role], method, route.address({"guest-pay/number": number}))
                assert answer == missing, f"{role} {method} {owner}'s: {answer[0]} against {missing[0]}"


@pytest.mark.parametrize("route", [r for r in ROUTES if r.policy not in (Policy.STAFF, Policy.API)], ids=named)
def test_a_method_that_is_not_declared_is_refused(route: Route, world: World, clients: dict[str, Client]) -> None:
    """O03. A view of a function says which it takes: `@require_http_methods`, `@require_GET`, `@require_POST`.

    Whoever asks, of what there is and what there is not: it is refused before anything is looked for. Who is nobody's
    is led away first, as by any other method.
    """
    first, *others = every_object(route, world)
    one_and_missing = [first, *others[-1:]]
    for role in SIGNED_IN:
        led_away = role in NOT_MEMBERS and route.policy is Policy.MEMBER
        for values in one_and_missing:
            for method in UNDECLARED:
                status = send(clients[role], method, route.address(values)).status_code
                assert status == (302 if led_away else 405), f"{role} {method}: {status}"


@pytest.mark.parametrize("route", WITH_FORMS, ids=named)
def test_a_form_without_its_token_is_refused(route: Route, world: World, clients: dict[str, Client]) -> None:
    """H19: from another site's page, with the member's cookies."""
    foreign = Client(enforce_csrf_checks=True)
    foreign.cookies = clients["alice"].cookies
    values = {key: next(iter(world.objects[key].of.values()), world.objects[key].missing) for key in route.keys}
    answer = foreign.post(route.address(values), headers={"origin": "https://evil.example"})
    assert answer.status_code == 403 or (route.policy is Policy.API and answer.status_code in (401, 404, 405))


@pytest.mark.parametrize("route", OF_STAFF, ids=named)
def test_the_staffs_side_is_closed_to_all_others(route: Route, world: World, clients: dict[str, Client]) -> None:
    """H05: members get 404; staff without a second factor are led to it; anonymous are led to sign in.

    For rows that there are, by every method and everybody.
    """
    address = re.sub(r"<\w+>", row_of(route), f"/{route.pattern}")
    for method in (*METHODS, *UNDECLARED):
        assert send(clients["anonymous"], method, address)["Location"].startswith("/accounts/login/"), method
        for role in NOT_STAFF:
            assert send(clients[role], method, address).status_code == 404, f"{role} {method}"
        answer = send(clients["staff_without_factor"], method, address)
        assert answer["Location"].startswith("/accounts/2fa/"), method


@cache
def row_of(route: Route) -> str:
    """The key of a row that a page of staff is about, where there is one in the world."""
    about = [model for model in apps.get_models() if route.name.startswith(f"{model._meta.db_table}_")]
    row = about[0]._base_manager.order_by("pk").first() if about and "<" in route.pattern else None
    return str(row.pk) if row is not None else "1"


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
    """Values for the route's kwargs: of everybody, and a missing one."""
    if not route.keys:
        return [{}]
    if len(route.keys) > 1:  # the two of a link that sets a password: nobody's
        return [{key: world.objects[key].missing for key in route.keys}]
    objects = only_object(route, world)
    return [{route.keys[0]: value} for value in (*objects.of.values(), objects.missing)]


def allowed_refusals(route: Route, role: str) -> tuple[int, ...]:
    """404; 405 where the route has no such method; a view of a class answers OPTIONS by itself, without the object;
    who is nobody's is led to enrolment before any object is looked for."""
    if role in NOT_MEMBERS and route.policy is Policy.MEMBER:
        return (302,)
    return (404, 405, 200) if hasattr(route.view, "view_class") or hasattr(route.view, "cls") else (404, 405)


def send(client: Client, method: str, address: str) -> HttpResponse:
    answer = client.generic(method, address)
    client.cookies.pop("messages", None)  # else each answer carries what all before it said
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


def seen_and_undone(client: Client, method: str, address: str) -> tuple[int, str, str]:
    """The same, with what it wrote and the cookies as they were before."""
    cookies = copy.deepcopy(client.cookies)
    with transaction.atomic():
        answer = seen(client, method, address)
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def words_of_pdf(body: bytes) -> str:
    if not body.startswith(b"%PDF"):
        return body.decode()
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(body)).pages)


def test_who_may_look_reads_what_who_may_only_pay_does_not(world: World, clients: dict[str, Client]) -> None:
    """The bite of the words above: the same bill says it to one and not to the other."""
    address = f"/bills/{world.objects['bills/number'].of['Bob']}/"
    assert SERVICE in seen(clients["view"], "GET", address)[2]
    assert SERVICE not in seen(clients["pay_only"], "GET", address)[2]
