"""What tests of the pages about paying have in common: who is signed in, and the three steps by hand."""

import datetime as dt
import re

from django.http import HttpResponse
from django.test import Client

from accounts.models import Coverage, Member, Plan
from bills import issuing
from bills.models import Bill
from payments.models import Payment
from tests.conftest import Cast
from tests.payments.paying import token


def signed_in(member: Member) -> Client:
    """A browser in which this member is signed in."""
    client = Client()
    client.force_login(member.user)
    return client


def amounts(client: Client, wanted: dict[Bill, str]) -> HttpResponse:
    """Post the first step: what is typed beside each bill."""
    bills = list(wanted)
    query = "&".join(f"bill={bill.number}" for bill in bills)
    data = {"group": f"{bills[0].kind}-{bills[0].household_id}"}
    for bill, text in wanted.items():
        data |= {f"pay-{bill.number}": "on", f"amount-{bill.number}": text}
    return client.post(f"/pay/?{query}", data)


def drafted(client: Client, wanted: dict[Bill, str]) -> Payment:
    """The draft that the first step makes."""
    response = amounts(client, wanted)
    assert response.status_code == 302, text_of(response)
    found = re.fullmatch(r"/pay/([0-9A-Z-]+)/method/", response["Location"])
    assert found is not None
    return Payment.objects.get(number=found[1])


def chosen(client: Client, payment: Payment, card: str = "pm_card_visa", **more: str) -> HttpResponse:
    """Post the second step with a test card, as the browser would."""
    data = {"method": "new", "confirmation_token": token(card), **more}
    response = client.post(f"/pay/{payment.number}/method/", data)
    assert response.status_code == 302, text_of(response)
    return response


def confirmed(client: Client, payment: Payment) -> HttpResponse:
    """Post the third step."""
    return client.post(f"/pay/{payment.number}/review/")


def text_of(response: HttpResponse) -> str:
    """A page's text without its tags, in single spaces."""
    main = response.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def make_premium(cast: Cast, amount_cents: int = 53_076) -> Bill:
    """The family's premium of December 2026."""
    plan = Plan.objects.create(name="Family Silver 70", year=2026)
    coverage = Coverage.objects.create(
        plan=plan, kind=Coverage.Kind.FAMILY, household=cast.household, subscriber=cast.alice,
        start_on=dt.date(2026, 1, 1), premium_cents=amount_cents,
    )  # fmt: skip
    coverage.members.set([cast.alice, cast.bob, cast.maya])
    return issuing.issue(
        member=cast.alice, kind="premium", amount_cents=amount_cents, title="December premium",
        issued_on=dt.date(2026, 11, 15), due_on=dt.date(2026, 12, 1), source="test", source_id="premium-2026-12",
        coverage=coverage, period=dt.date(2026, 12, 1),
    )  # fmt: skip
