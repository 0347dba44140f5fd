"""Money that goes back, in a real browser: a bank returns a payment, and staff refund a part with a second person."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from bills.models import Bill
from payments import checkout, disputes
from payments.models import Payment, Refund
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import shoot
from tests.conftest import Cast
from tests.payments import banking
from tests.payments.conftest import draft  # noqa: F401
from tests.payments.paying import balance, make_bill, trial_balance
from tests.staff.conftest import make_staff
from tests.staff.conftest import sign_in as proved
from tests.stripe_sandbox.conftest import Server

REASON = "The clinic asked us to send it back."


@pytest.fixture
def bill(real_cast: Cast) -> Bill:
    """A medical bill of Maya's over $1,185.00."""
    return make_bill(real_cast.maya, 118_500)


def test_a_bank_payment_is_returned_and_the_bill_opens_again_with_a_reason(
    site: str, real_cast: Cast, bill: Bill, provider: Server, sign_in: Callable[..., Any]
) -> None:
    """FAULTS D03: on the bill, in its history, on the payment, each with what to do next."""
    payment = banking.paid(provider, real_cast.alice, {bill: 5_000})
    banking.returned(provider, payment, "R01")
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/bills/{bill.number}/")
    text = page.inner_text("main")
    assert "$1,185.00" in text
    assert "There was not enough money in the account" in text
    assert "Payment returned by your bank" in text
    assert_accessible(page)
    shoot(page, "bill-returned")
    page.get_by_role("link", name="See the payment that was taken back").click()
    page.wait_for_url(f"**/payments/{payment.number}/")
    text = page.inner_text("main")
    assert "Returned by the bank" in text
    assert "There was not enough money in the account" in text
    assert_accessible(page)
    shoot(page, "payment-returned")
    page.get_by_role("link", name="Pay again").click()
    page.wait_for_url(f"**/pay/?bill={bill.number}")


def staff_page(visitor: Callable[..., Any], site: str, user: User) -> Any:
    """A page of somebody of staff who has signed in with a second factor."""
    page = visitor()
    cookie = proved(Client(), user).cookies[django_settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": site}])
    return page


def act(page: Any, address: str, **fields: str) -> None:
    """Fill the form of a staff action and send it."""
    page.goto(address)
    for name, value in fields.items():
        page.locator(f'[name="{name}"]').fill(value)
    with page.expect_navigation():
        page.locator('#content form [type="submit"]').last.click()


def test_staff_refund_a_part_with_a_second_person(
    site: str,
    real_cast: Cast,
    bill: Bill,
    draft: Callable[..., Payment],  # noqa: F811
    sign_in: Callable[..., Any],
    visitor: Callable[..., Any],
) -> None:
    """Above the limit nothing is sent until another of staff approves; the member sees where it is and when."""
    payment = checkout.confirm(draft(80_000))
    dana, erik = make_staff(Role.BILLING), make_staff(Role.ADMINISTRATOR)
    first = staff_page(visitor, site, dana)
    act(first, f"{site}/admin/payments/payment/{payment.pk}/refund/", amount="600.00", reason=REASON)
    assert "waits for a second person" in first.inner_text("body")
    refund = Refund.objects.get()
    assert refund.status == "awaiting_approval"
    act(first, f"{site}/admin/payments/refund/{refund.pk}/approve/", reason=REASON)
    assert "somebody else has to approve it" in first.inner_text("body")
    shoot(first, "refund-same-person")
    member = sign_in(real_cast.alice.user)
    member.goto(f"{site}/payments/{payment.number}/")
    assert "Being checked" in member.inner_text("main")
    second = staff_page(visitor, site, erik)
    second.goto(f"{site}/admin/payments/refund/{refund.pk}/change/")
    shoot(second, "refund-waits")
    act(second, f"{site}/admin/payments/refund/{refund.pk}/approve/", reason=REASON)
    assert "The refund is sent." in second.inner_text("body")
    shoot(second, "refund-approved")
    assert balance(bill) == 118_500 - 80_000 + 60_000 and trial_balance() == 0
    member.reload()
    text = member.inner_text("main")
    assert "$600.00" in text and "You should see it by" in text
    assert_accessible(member)
    shoot(member, "payment-refunded")


def test_a_dispute_is_shown_to_staff_with_what_to_send_and_to_the_member_with_what_to_do(
    site: str,
    real_cast: Cast,
    bill: Bill,
    draft: Callable[..., Payment],  # noqa: F811
    provider: Server,
    sign_in: Callable[..., Any],
    visitor: Callable[..., Any],
) -> None:
    """FAULTS D16."""
    payment = checkout.confirm(draft(5_000))
    provider.post("disputes", charge=payment.stripe_charge_id)
    disputes.refresh(payment)
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/payments/{payment.number}/")
    assert "call the number on your card" in page.inner_text("main")
    assert_accessible(page)
    shoot(page, "payment-disputed")
    staff = staff_page(visitor, site, make_staff(Role.BILLING))
    staff.goto(f"{site}/admin/payments/dispute/{payment.disputes.get().pk}/change/")
    text = staff.inner_text("body")
    assert "3-D Secure" in text and "Until" in text
    shoot(staff, "dispute-staff")
