"""Help with costs in a real browser: from the estimate on a bill to the award; charitable coverage begins and ends."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.roles import Role
from assistance.models import Application
from bills import premiums
from bills.models import Bill
from tests.accounts import files
from tests.browser.accessibility import assert_accessible, assert_uncut
from tests.browser.paying import shoot
from tests.browser.test_going_back import act, staff_page
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage
from tests.staff.conftest import make_staff


def approve(clerk: Any, site: str) -> None:
    """What staff do: find the application in their list, read it, and say yes."""
    clerk.goto(f"{site}/admin/assistance/application/")
    for width in (390, 1280):
        clerk.set_viewport_size({"width": width, "height": 900})
        assert_uncut(clerk, f"applications at {width} pixels")
        shoot(clerk, f"staff-applications-{width}")
    assert_accessible(clerk)
    clerk.get_by_role("link", name=Application.objects.get().number).click()
    clerk.get_by_text("$81,960.00").first.wait_for()
    assert_uncut(clerk, "an application")
    assert_accessible(clerk)
    clerk.get_by_role("link", name="Approve").click()
    assert "75 % off" in clerk.inner_text("#content")
    act(clerk, clerk.url, reason="Within the limit.")
    assert "Approved." in clerk.inner_text("body")


def test_an_application_goes_from_estimate_to_award_and_the_balance_follows(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], visitor: Callable[..., Any], tmp_path: Path
) -> None:
    bill = make_bill(real_cast.alice, amount_cents=18_500)
    proof = tmp_path / "pay stub.pdf"
    proof.write_bytes(files.pdf())
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/bills/{bill.number}/")
    page.get_by_role("link", name="See what help is likely").click()
    page.get_by_label("People in your household").fill("3")
    page.get_by_label("Household income before tax").fill("6830")
    page.get_by_role("button", name="Show what is likely").click()
    assert "Of this bill that is $138.75. You would owe $46.25." in page.inner_text("main")
    shoot(page, "assistance-estimate")
    assert_accessible(page)

    page.get_by_role("button", name="Apply for help").click()
    page.get_by_label("People in your household").fill("3")
    shoot(page, "assistance-people")
    assert_accessible(page)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Amount before tax").fill("6830")
    page.get_by_label("A proof of it").set_input_files(proof)
    page.get_by_role("button", name="Add this income").click()
    page.get_by_text("$81,960.00 a year").wait_for()
    shoot(page, "assistance-income")
    assert_accessible(page)
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("What I wrote is true").check()
    page.get_by_label("Your full name").fill("Alice Rivera")
    shoot(page, "assistance-sign")
    assert_accessible(page)
    page.get_by_role("button", name="Sign and send").click()
    page.get_by_text("The bills that it is for wait until then").wait_for()
    shoot(page, "assistance-pending")
    assert_accessible(page)
    page.goto(f"{site}/bills/{bill.number}/")
    assert "We are checking this bill" in page.inner_text("main")

    approve(staff_page(visitor, site, make_staff(Role.ASSISTANCE)), site)
    page.goto(f"{site}/bills/{bill.number}/")
    assert "$46.25" in page.inner_text("main") and "We are checking" not in page.inner_text("main")
    page.goto(f"{site}/assistance/")
    page.get_by_role("link", name="Application").first.click()
    assert "$138.75 less" in page.inner_text("main")
    shoot(page, "assistance-award")
    assert_accessible(page)
    page.goto(f"{site}/assistance/summary/")
    shoot(page, "assistance-summary")
    assert_accessible(page)


def test_charitable_coverage_begins_and_ends(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], visitor: Callable[..., Any]
) -> None:
    first = timezone.localdate().replace(day=1)
    coverage = make_coverage(real_cast.alice, premium_cents=50_000, subsidy_cents=0, start_on=first)
    premiums.issue_month(first)
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/assistance/")
    page.get_by_role("button", name="Apply for help").click()
    page.get_by_label("Help with monthly premiums").check()
    page.get_by_label("People in your household").fill("3")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("What I wrote is true").check()
    page.get_by_label("Your full name").fill("Alice Rivera")
    page.get_by_role("button", name="Sign and send").click()
    page.get_by_text("Being decided").wait_for()
    application = Application.objects.get()
    clerk = staff_page(visitor, site, make_staff(Role.ASSISTANCE))
    act(clerk, f"{site}/admin/assistance/application/{application.pk}/approve/", reason="Within the limit.")
    bill = Bill.objects.get(coverage=coverage, period=first)
    page.goto(f"{site}/bills/{bill.number}/")
    assert "Nothing left to pay" in page.inner_text("main")
    page.goto(f"{site}/assistance/")
    assert "Afterwards the premium is $500.00 a month." in page.inner_text("main")
    shoot(page, "assistance-charitable")

    award = application.awards.get(kind="charitable")
    act(clerk, f"{site}/admin/assistance/award/{award.pk}/revoke/", reason="Another program pays.")
    following = (first + dt.timedelta(days=31)).replace(day=1)
    premiums.issue_month(following)
    page.goto(f"{site}/bills/{Bill.objects.get(coverage=coverage, period=following).number}/")
    assert "$500.00" in page.inner_text("main")
    page.goto(f"{site}/assistance/")
    assert "Ended" in page.inner_text("main")
