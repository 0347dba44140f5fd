"""In a real browser: a premium in grace is cured by its button; a statement is read and kept; a year adds up."""

import csv
import datetime as dt
import io
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pikepdf
from django.conf import settings
from django.utils import timezone

from accounts.visibility import scope_of
from bills import issuing
from bills.models import Bill, GracePeriod, Statement, StatementOpening
from payments import grace, monthly_statements, tax_pack
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import pay, review, shoot, type_card
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_payment
from tests.stripe_sandbox.conftest import Server


def prove(page: Any, user_id: int | None) -> None:
    """What proving again who one is leaves in the session; the form has its own tests."""
    cookie = next(each for each in page.context.cookies() if each["name"] == settings.SESSION_COOKIE_NAME)
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookie["value"])
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session["account_authentication_methods_user"] = str(user_id)
    session.save()


def test_a_month_that_ended_in_grace_is_cured_by_one_button(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], provider: Server
) -> None:
    """Two months are late; the button pays both, and the clock says that the coverage goes on."""
    today = timezone.localdate()
    last = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    coverage = make_coverage(real_cast.alice, real_cast.bob, premium_cents=53_076)
    issuing.issue(
        member=real_cast.alice, kind=Bill.Kind.PREMIUM, amount_cents=53_076, title="Premium", coverage=coverage,
        issued_on=last - dt.timedelta(days=20), due_on=last, period=last, source="test", source_id="late",
    )  # fmt: skip
    assert grace.run(today).began == 1
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/premiums/")
    shoot(page, "grace")
    assert_accessible(page)
    assert "In grace" in page.inner_text("#coverage-clock")
    page.get_by_role("link", name="Pay $530.76 and keep your coverage").click()
    page.get_by_role("button", name="Continue to payment method").click()
    type_card(page)
    review(page)
    pay(page, 53_076)
    page.wait_for_url("**/payments/*/")
    page.goto(f"{site}/premiums/")
    assert "Paid through" in page.inner_text("#coverage-clock")
    assert "In grace" not in page.inner_text("#coverage-clock")
    assert (grace.run(today).cured, GracePeriod.objects.get().status) == (1, "cured")


def test_a_statement_is_read_kept_and_a_year_adds_up(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], tmp_path: Path
) -> None:
    """From the list to the statement and its PDF; the year's expenses as CSV, summed by hand."""
    today = timezone.localdate()
    month = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    bill = make_bill(real_cast.maya, issued_on=month, due_on=today + dt.timedelta(days=9))
    make_payment({bill: 5_000}, payer=real_cast.alice.user, on=month + dt.timedelta(days=3))
    monthly_statements.issue(month, on=today)
    statement = Statement.objects.get()
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/documents/?year={today.year}")
    shoot(page, "documents")
    assert_accessible(page)
    page.goto(f"{site}/documents/statements/{statement.number}/")
    shoot(page, "statement")
    assert_accessible(page)
    assert "$135.00" in page.inner_text(".owed")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    download.value.save_as(tmp_path / "statement.pdf")
    with pikepdf.open(tmp_path / "statement.pdf") as pdf:
        assert pdf.Root.MarkInfo.Marked
    assert StatementOpening.objects.count() == 1
    page.goto(f"{site}/documents/?year={month.year}")
    page.get_by_role("link", name="Download as CSV").click()
    page.wait_for_url("**/reauthenticate/**")  # FAULTS H16
    prove(page, real_cast.alice.user_id)
    page.goto(f"{site}/documents/?year={month.year}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))[1:]
    paid = sum(round(float(row[8]) * 100) for row in rows)
    assert paid == tax_pack.of(scope_of(real_cast.alice.user), year=month.year).paid_cents == 5_000
