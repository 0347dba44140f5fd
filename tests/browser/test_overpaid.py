"""Overpaid money in a real browser: one part pays another bill, the rest goes back to the card."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from accounts.visibility import scope_of
from bills import issuing
from payments import checkout
from payments.models import Refund
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import shoot
from tests.conftest import Cast
from tests.payments.paying import balance, make_bill, token
from tests.stripe_sandbox.conftest import Server


def test_alice_moves_a_part_of_what_was_overpaid_and_asks_the_rest_back(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], provider: Server
) -> None:
    bill, other = make_bill(real_cast.maya, 18_500), make_bill(real_cast.alice, 9_000)
    paid = checkout.begin(scope_of(real_cast.alice.user), payer=real_cast.alice.user, amounts={bill.number: 18_500})
    checkout.confirm(checkout.choose(paid, confirmation_token=token("pm_card_visa")))
    issuing.correct(bill, by_cents=-4_500, key="lowered", on=dt.date(2026, 11, 20), reason="corrected")
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/payments/")
    page.get_by_role("link", name="Put it to another bill, or ask for it back").click()
    shoot(page, "overpaid")
    assert_accessible(page)
    assert "The bill was lowered after it had been paid." in page.inner_text("main")
    page.get_by_role("link", name="Use it: $45.00").click()
    shoot(page, "overpaid-one")
    assert_accessible(page)
    page.get_by_label("Amount").first.fill("30.00")
    page.get_by_role("button", name="Put it to this bill").click()
    assert f"$30.00 now pays bill {other.number}." in page.inner_text("main")
    assert balance(other) == 6_000
    page.get_by_role("link", name="Use it: $15.00").click()
    page.get_by_role("button", name="Send it back").click()
    assert "$15.00 is on its way back to the method that paid it." in page.inner_text("main")
    assert "Nothing is overpaid" in page.inner_text("main")
    refund = Refund.objects.get()
    assert (refund.status, refund.amount_cents, balance(bill), balance(other)) == ("succeeded", 1_500, 0, 6_000)
