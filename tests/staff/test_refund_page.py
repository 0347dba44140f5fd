"""The refund page, against the provider's stand-in: with a reason, once a form, and the bill is owed again."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.roles import Role
from activity.models import Access, Event
from payments import checkout
from payments.models import Payment, Refund
from tests.payments.conftest import bill, draft  # noqa: F401
from tests.payments.paying import balance, drifting_accounts, trial_balance
from tests.provider import provider, provider_process  # noqa: F401
from tests.staff.conftest import make_staff, sign_in

REASON = "The clinic asked us to."
KEY = "0123456789abcdef"


@pytest.fixture
def paid(draft: Callable[..., Payment]) -> Payment:  # noqa: F811
    """$50.00 of the bill, paid with a test card."""
    return checkout.confirm(draft(5_000))


def refund(client: Client, payment: Payment, amount: str, key: str = KEY):
    """Send the form of the refund page."""
    form = {"amount": amount, "reason": REASON, "key": key}
    return client.post(f"/admin/payments/payment/{payment.pk}/refund/", form, follow=True)


def test_a_part_is_refunded_and_owed_again(paid, bill):  # noqa: F811
    client = sign_in(Client(), make_staff(Role.BILLING))
    page = client.get(f"/admin/payments/payment/{paid.pk}/refund/").content.decode()
    assert "Can still be refunded" in page
    assert "$50.00" in page
    assert "The refund is sent." in refund(client, paid, "20.00").content.decode()
    assert balance(bill) == 15_500
    made = Refund.objects.get()
    assert (made.amount_cents, made.reason, made.requested_by.email) == (2_000, REASON, "billing@staff.example.com")
    assert Event.objects.get(kind="refund.submitted").reason == REASON
    assert Access.objects.filter(action="refund", reason=REASON).exists()
    assert drifting_accounts() == []
    assert trial_balance() == 0


def test_the_same_form_sent_twice_refunds_once(paid, bill):  # noqa: F811
    """FAULTS A13's neighbour: a double click on a part of the payment."""
    client = sign_in(Client(), make_staff(Role.BILLING))
    for _click in range(2):
        refund(client, paid, "20.00")
    assert Refund.objects.count() == 1
    assert balance(bill) == 15_500
    refund(client, paid, "20.00", key="fedcba9876543210")
    assert Refund.objects.count() == 2


def test_more_than_is_left_is_refused(paid):
    client = sign_in(Client(), make_staff(Role.BILLING))
    assert refund(client, paid, "50.01").status_code == 422
    assert not Refund.objects.exists()


def test_a_refunded_payment_offers_no_refund(paid):
    client = sign_in(Client(), make_staff(Role.BILLING))
    refund(client, paid, "50.00")
    assert Payment.objects.get().status == "refunded"
    page = client.get(f"/admin/payments/payment/{paid.pk}/change/").content.decode()
    assert f"/payment/{paid.pk}/refund/" not in page
    assert refund(client, paid, "1.00", key="fedcba9876543210").status_code == 422


def test_a_large_refund_waits_and_another_of_staff_sends_it_from_its_page(paid, bill, settings):  # noqa: F811
    """The second person: a page with a reason; who asked for it is told why it cannot be them."""
    settings.REFUND_SECOND_PERSON_CENTS = 1_000
    first = sign_in(Client(), make_staff(Role.BILLING))
    assert "waits for a second person" in refund(first, paid, "20.00").content.decode()
    made = Refund.objects.get()
    address, form = f"/admin/payments/refund/{made.pk}/approve/", {"reason": REASON, "key": KEY}
    assert "somebody else has to approve it" in first.post(address, form, follow=True).content.decode()
    assert balance(bill) == 13_500
    second = sign_in(Client(), make_staff(Role.ADMINISTRATOR))
    assert "The refund is sent." in second.post(address, form, follow=True).content.decode()
    assert balance(bill) == 15_500
    made.refresh_from_db()
    assert (made.decided_by.email, made.decision_reason) == ("administrator@staff.example.com", REASON)


def test_a_bills_share_is_refunded_by_its_number(paid, bill):  # noqa: F811
    client = sign_in(Client(), make_staff(Role.BILLING))
    form = {"amount": "20.00", "reason": REASON, "key": KEY, "bill": "nothing"}
    answer = client.post(f"/admin/payments/payment/{paid.pk}/refund/", form, follow=True)
    assert "paid nothing on a bill NOTHING" in answer.content.decode()
    form["bill"] = bill.number.lower()
    answer = client.post(f"/admin/payments/payment/{paid.pk}/refund/", form, follow=True)
    assert "The refund is sent." in answer.content.decode()
    assert Refund.objects.get().bill == bill
