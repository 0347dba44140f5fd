"""Adding methods in tests: a browser that has proved itself, and the provider's tokens of accounts and cards."""

import time

from allauth.account.internal.userkit import user_id_to_str
from django.http import HttpResponse
from django.test import Client

from accounts.models import Member
from payments.models import PaymentMethod
from tests.payments.pages import signed_in
from tests.payments.paying import stripe_client, token

AGENT = "Mozilla/5.0 (tests)"


def proved(member: Member) -> Client:
    """A browser in which this member proved who they are a moment ago."""
    client = signed_in(member)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = user_id_to_str(member.user)
    session.save()
    return client


def unproved_token(number: str = "000123456789") -> str:
    """A token of a bank account that was not proved at once: it needs small deposits."""
    account = {"account_number": number, "routing_number": "110000000", "account_holder_type": "individual"}
    made = stripe_client().v1.test_helpers.confirmation_tokens.create(
        {
            "payment_method_data": {
                "type": "us_bank_account", "us_bank_account": account, "billing_details": {"name": "Test"},
            },
            "return_url": "http://127.0.0.1/",
        }  # type: ignore[arg-type]
    )  # fmt: skip
    return made.id


def posted(client: Client, confirmation_token: str, *, at: str = "add", **more: str) -> HttpResponse:
    """Post what the browser sends after something was typed into the provider's frame."""
    return client.post(f"/payment-methods/{at}/", {"confirmation_token": confirmation_token, **more})


def added(client: Client, kind: str = "pm_card_visa", *, given: str = "", at: str = "add", **more: str) -> str:
    """Add a method, agreeing to what is asked; the address that it ends at."""
    response = posted(client, given or token(kind), at=at, **more)
    assert response.status_code == 302, response.content.decode()[-3000:]
    address = response["Location"]
    response = client.get(address)
    if response.status_code == 200:
        response = client.post(address, headers={"user-agent": AGENT})
        response = client.get(response["Location"])
    return str(response["Location"])


def latest() -> PaymentMethod:
    """The method that was saved last."""
    return PaymentMethod.objects.order_by("-pk")[0]
