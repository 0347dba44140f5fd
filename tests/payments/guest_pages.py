"""What tests of guest pay have in common: a browser without a sign-in, and its steps by hand."""

import re
import secrets

from django.http import HttpResponse
from django.test import Client

from bills.models import Bill
from payments.guest_limits import Who
from payments.models import Payment
from tests.payments.pages import text_of
from tests.payments.paying import token


def somebody(number: int = 1) -> Who:
    """A guest at an address, and in a network, of their own."""
    return Who(
        browser=f"browser-{number}",
        address=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        network=f"network-{number}",
    )


def facts_of(bill: Bill, **others: str) -> dict[str, str]:
    """What stands on a bill, as the form hands it on."""
    return {"bill_number": bill.number, "birth_date": bill.member.birth_date.isoformat(), **others}


def look_up(client: Client, bill: Bill, **typed: str) -> HttpResponse:
    """Post the first step: the bill's own facts, but for what is `typed` otherwise."""
    born = bill.member.birth_date.strftime("%m/%d/%Y")
    return client.post("/guest-pay/", {"bill_number": bill.number, "birth_date": born, **typed})


def named(bill: Bill, client: Client | None = None) -> Client:
    """A browser that has named a bill."""
    client = client or Client()
    response = look_up(client, bill)
    assert (response.status_code, response.get("Location")) == (302, "/guest-pay/bill/"), text_of(response)
    return client


def drafted(client: Client, amount: str = "", *, form_key: str = "") -> Payment:
    """The draft that the second step makes: of all, or of an amount."""
    response = post_amount(client, amount, form_key=form_key)
    assert response.status_code == 302, text_of(response)
    found = re.fullmatch(r"/guest-pay/([0-9A-Z-]+)/method/", response["Location"])
    assert found is not None, response["Location"]
    return Payment.objects.get(number=found[1])


def post_amount(client: Client, amount: str = "", *, form_key: str = "", share: str = "") -> HttpResponse:
    """Post the second step."""
    key = form_key or secrets.token_urlsafe(18)
    data = {"form_key": key, "share": share or ("part" if amount else "all"), "amount": amount}
    return client.post("/guest-pay/bill/", data)


def chosen(client: Client, payment: Payment, card: str = "pm_card_visa") -> HttpResponse:
    """Post the third step with a test card, as the browser would."""
    response = client.post(f"/guest-pay/{payment.number}/method/", {"confirmation_token": token(card)})
    assert response.status_code == 302, text_of(response)
    return response


def confirmed(client: Client, payment: Payment, **typed: str) -> HttpResponse:
    """Post the last step."""
    return client.post(f"/guest-pay/{payment.number}/review/", typed)


def paid(bill: Bill, amount: str = "", *, client: Client | None = None, **typed: str) -> Payment:
    """A guest's payment of a bill, through all four steps."""
    client = named(bill, client)
    payment = drafted(client, amount)
    chosen(client, payment)
    response = confirmed(client, payment, **typed)
    assert response.status_code == 302, text_of(response)
    payment.refresh_from_db()
    return payment
