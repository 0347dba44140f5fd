"""The staff's page of a day's autopay run."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.roles import Role
from payments.models import AutopayCharge, AutopayEnrollment
from tests.factories import make_bill
from tests.staff.conftest import Records

DAY = dt.date(2026, 11, 20)
ADDRESS = "/admin/payments/autopaycharge/run/"


@pytest.fixture
def run(records: Records) -> None:
    """A day with a charge in each state."""
    enrollment = AutopayEnrollment.objects.get()
    for status, code in (
        ("done", ""), ("failed", "stolen_card"), ("failed", "insufficient_funds"), ("failed", "stolen_card"),
        ("sent", ""), ("queued", ""), ("not_needed", "paid_meanwhile"), ("skipped", ""),
    ):  # fmt: skip
        AutopayCharge.objects.create(
            enrollment=enrollment, household=enrollment.household, bill=make_bill(records.cast.maya), status=status,
            code=code, amount_cents=5000, due_on=DAY, charge_on=DAY,
        )  # fmt: skip


def test_it_says_what_was_planned_charged_failed_and_left_out_and_why(
    run: None, staff: Callable[[Role | None], Client]
) -> None:
    page = staff(Role.BILLING).get(f"{ADDRESS}?date=2026-11-20")
    found = page.context["run"]
    assert (found.planned, found.done, found.failed, found.on_their_way, found.waiting) == (9, 1, 3, 1, 2)
    assert page.context["failed"] == [("stolen_card", 2), ("insufficient_funds", 1)]
    assert dict(page.context["left_out"]) == {"Paid meanwhile": 1, "Skipped by the member": 1}
    text = page.content.decode()
    assert "Failed, by code" in text and 'hx-trigger="every 5s"' in text and "Nothing was sent" in text
    part = staff(Role.AUDITOR).get(f"{ADDRESS}?date=2026-11-20", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="autopay-run"')


def test_the_list_tells_staff_and_not_the_member(run: None, staff: Callable[[Role | None], Client]) -> None:
    billing = staff(Role.BILLING)
    page = billing.get("/admin/payments/autopaycharge/").content.decode()
    assert "Skipped by the member" in page and "Waiting for the member" in page and "by you" not in page
    assert "Paid meanwhile" in page and "stolen_card" in page and "for you" not in page
    chosen = billing.get("/admin/payments/autopaycharge/", {"status": "failed"})
    assert chosen.context["cl"].result_count == 3


def test_a_day_without_charges_says_so_and_what_is_no_day_is_not_found(
    records: Records, staff: Callable[[Role | None], Client]
) -> None:
    client = staff(Role.MEMBER_SERVICES)
    assert "Nothing is planned for this day." in client.get(f"{ADDRESS}?date=2026-01-01").content.decode()
    assert client.get(f"{ADDRESS}?date=soon").status_code == 404
    assert client.get("/admin/payments/autopaycharge/?charge_on=2026-11-20").status_code == 200


def test_it_is_for_those_who_may_see_charges(records: Records, staff: Callable[[Role | None], Client]) -> None:
    assert staff(None).get(ADDRESS).status_code == 403
