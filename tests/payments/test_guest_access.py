"""What a guest reaches: the payments of the own visit, and nothing else (FAULTS G07, G13)."""

import pytest
from django.test import Client

from accounts.policies import Policy
from bills.models import Bill
from payments.models import Payment
from tests.access.routes import Route, all_routes
from tests.conftest import Cast
from tests.payments.guest_pages import chosen, confirmed, drafted, named, paid
from tests.payments.pages import signed_in
from tests.stripe_sandbox.conftest import Server

OF_VISITS = [route for route in all_routes() if route.keys == ("guest-pay/number",)]


@pytest.mark.parametrize("route", OF_VISITS, ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_payment_of_another_visit_does_not_exist(
    bill: Bill, provider: Server, real_cast: Cast, route: Route, method: str
) -> None:
    """By every method: of nobody's browser, of another guest's, of the member's, and for a member's own payment."""
    payment = paid(bill, "20.00")
    of_member = Payment.objects.create(
        number="OWNN-OWNN-OWNN", household=bill.household, kind="medical", channel="web", amount_cents=100,
        payer=real_cast.alice.user,
    )  # fmt: skip
    for client in (Client(), named(bill), signed_in(real_cast.alice), signed_in(real_cast.charlie)):
        for number in (payment.number, of_member.number, "0000-0000-0000"):
            answer = client.generic(method, route.address({"guest-pay/number": number}))
            assert answer.status_code in (404, 405), f"{answer.status_code} for {number}"


def test_every_route_of_guest_pay_is_public_and_has_its_own_gate() -> None:
    routes = [route for route in all_routes() if route.pattern.startswith("guest-pay/")]
    assert len(routes) == 10
    assert {route.policy for route in routes} == {Policy.PUBLIC}
    assert len(OF_VISITS) == 6


def test_a_guest_reaches_no_page_of_members(bill: Bill, provider: Server) -> None:
    """G07: history, receipts, saved methods, documents: all ask for a sign-in."""
    client = named(bill)
    payment = drafted(client, "20.00")
    chosen(client, payment)
    confirmed(client, payment)
    for address in (
        "/payments/", f"/payments/{payment.number}/", f"/bills/{bill.number}/", "/payment-methods/", "/overview/",
        f"/payments/{payment.number}/pdf/", f"/bills/{bill.number}/pdf/", f"/pay/{payment.number}/method/",
    ):  # fmt: skip
        assert client.get(address)["Location"].startswith("/accounts/login/"), address
    assert Payment.objects.get().method is None


def test_a_payment_is_not_sent_without_the_visit_and_a_method(bill: Bill, provider: Server) -> None:
    """G13, I20: steps skipped lead back to them."""
    client = named(bill)
    payment = drafted(client, "20.00")
    assert confirmed(client, payment)["Location"] == f"/guest-pay/{payment.number}/method/"
    assert confirmed(Client(), payment).status_code == 404
    assert client.get(f"/guest-pay/{payment.number}/receipt/")["Location"] == f"/guest-pay/{payment.number}/method/"
