"""The staff's pages in a real browser: nothing is cut or pushed past the edge, on a phone or on a small desk."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.roles import Role
from bills import holds
from bills.models import Hold, ImportBatch, ImportReject
from payments import reconciling
from payments.models import Dispute, Finding
from tests.browser.accessibility import assert_accessible, assert_uncut
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
    "notifications/notification", "bills/hold", "bills/importreject", "payments/monthfigures",
)  # fmt: skip


@pytest.fixture
def work(real_cast: Cast, provider: Server) -> None:
    """A payment that its bank took back, a charge that nobody knows, and what the reconciliation says of both.

    The bill is on hold, and an import did not take a record.
    """
    bill = make_bill(real_cast.maya, 118_500)
    holds.begin(bill, cause=Hold.Cause.DISPUTE, reference="inquiry:1")
    batch = ImportBatch.objects.create(format="fhir", file_name="bills.ndjson", status="finished", read=1)
    ImportReject.objects.create(
        batch=batch, outcome="review", rule="patient_unknown", reason="The member has not been imported.",
        source="the clinic", source_id="Invoice/5", record={"resource": {"id": "5"}},
    )  # fmt: skip
    banking.returned(provider, banking.paid(provider, real_cast.alice, {bill: 5_000}), "R01")
    provider.post("charges", amount=7_777)
    reconciling.run(until=timezone.now() + dt.timedelta(minutes=5))  # the provider's clock went on for the bank


def test_no_page_of_the_staff_is_cut_at_390_or_1280_pixels(
    site: str, work: None, real_cast: Cast, visitor: Callable[..., Any]
) -> None:
    """Lists become cards on a phone, each line with its name; records and forms wrap."""
    page = staff_page(visitor, site, make_staff(Role.ADMINISTRATOR))
    dispute, finding = Dispute.objects.get(), Finding.objects.get()
    paths = ["", *(f"{each}/" for each in LISTS), f"payments/dispute/{dispute.pk}/change/"]
    paths += [
        f"payments/finding/{finding.pk}/change/",
        f"payments/finding/{finding.pk}/assign/",
        "payments/check/record/",
        f"accounts/member/{real_cast.maya.pk}/looks/",
    ]
    for path in paths:
        page.goto(f"{site}/admin/{path}")
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert_uncut(page, f"{path} at {width} pixels")


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
    for path in ("bills/hold", "bills/importreject", "payments/monthfigures"):
        page.goto(f"{site}/admin/{path}/")
        assert_accessible(page)
        shoot(page, f"staff-{path.split('/')[1]}")
