"""The staff's pages in a real browser: nothing is cut or pushed past the edge, on a phone or on a small desk."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.roles import Role
from payments import reconciling
from payments.models import Dispute, Finding
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import shoot
from tests.browser.test_going_back import staff_page
from tests.conftest import Cast
from tests.payments import banking
from tests.payments.paying import make_bill
from tests.staff.conftest import make_staff
from tests.stripe_sandbox.conftest import Server

LISTS = (
    "bills/bill", "payments/payment", "payments/dispute", "payments/stripeevent", "payments/reconciliationrun",
    "payments/finding", "payments/balancetransaction", "activity/event", "activity/workitem",
    "notifications/notification",
)  # fmt: skip
# What is drawn beyond the page's right edge, and tables that can only be read by scrolling them sideways.
BEYOND = """() => {
  const width = document.documentElement.clientWidth, found = [];
  for (const each of document.querySelectorAll('#content *, #header *, .breadcrumbs *')) {
    const box = each.getBoundingClientRect();
    if (box.width > 1 && box.right > width + 1 && !each.closest('thead')) found.push(each.outerHTML.slice(0, 120));
  }
  for (const each of document.querySelectorAll('.results')) {
    if (each.querySelector('tbody').scrollWidth > each.clientWidth + 1) found.push(`table of ${each.scrollWidth} px`);
  }
  return found.slice(0, 5);
}"""


@pytest.fixture
def work(real_cast: Cast, provider: Server) -> None:
    """A payment that its bank took back, a charge that nobody knows, and what the reconciliation says of both."""
    bill = make_bill(real_cast.maya, 118_500)
    banking.returned(provider, banking.paid(provider, real_cast.alice, {bill: 5_000}), "R01")
    provider.post("charges", amount=7_777)
    reconciling.run(until=timezone.now() + dt.timedelta(minutes=5))  # the provider's clock went on for the bank


def test_no_page_of_the_staff_is_cut_at_390_or_1280_pixels(site: str, work: None, visitor: Callable[..., Any]) -> None:
    """Lists become cards on a phone, each line with its name; records and forms wrap."""
    page = staff_page(visitor, site, make_staff(Role.ADMINISTRATOR))
    dispute, finding = Dispute.objects.get(), Finding.objects.get()
    paths = ["", *(f"{each}/" for each in LISTS), f"payments/dispute/{dispute.pk}/change/"]
    paths += [
        f"payments/finding/{finding.pk}/change/",
        f"payments/finding/{finding.pk}/assign/",
        "payments/check/record/",
    ]
    for path in paths:
        page.goto(f"{site}/admin/{path}")
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(BEYOND) == [], f"{path} at {width} pixels"


def test_a_list_on_a_phone_names_each_of_its_lines(site: str, work: None, visitor: Callable[..., Any]) -> None:
    """The head of the table is out of sight there, so each cell says what it is; axe agrees."""
    page = staff_page(visitor, site, make_staff(Role.ADMINISTRATOR))
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{site}/admin/payments/dispute/")
    amount = page.locator("#result_list td.field-amount")
    assert amount.get_attribute("data-label") == "Amount"
    assert amount.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Amount"'
    assert_accessible(page)
    shoot(page, "staff-disputes")
