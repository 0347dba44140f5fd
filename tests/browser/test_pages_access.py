"""Overview, bills, one bill, premiums and help: no finding of axe, no sideways scrolling, in both languages."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from bills import premiums
from bills.models import Accumulator, Bill
from payments.states import PaymentStatus
from tests.browser.accessibility import assert_accessible
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_payment

SHOTS = os.environ.get("SHOTS", "")


@pytest.fixture
def household(real_cast: Cast) -> Bill:
    """A household as in real life: late, due, partly paid and paid bills, premiums, six months of payments."""
    alice, maya, today = real_cast.alice, real_cast.maya, timezone.localdate()
    late = make_bill(maya, due_on=today - dt.timedelta(days=18))
    make_bill(alice, amount_cents=12_640, title="Laboratory", provider_name="Oakridge Pathology", lines=())
    waiting = make_bill(real_cast.bob, amount_cents=4_200, title="Physical therapy", provider_name="Lakeside Therapy")
    make_payment({waiting: 4_200}, payer=alice.user, status=PaymentStatus.PROCESSING)
    for back in range(6):
        old = make_bill(alice, amount_cents=53_100 + back * 7_300, due_on=today - dt.timedelta(days=30 * back + 5))
        make_payment({old: old.amount_cents}, payer=alice.user, on=today - dt.timedelta(days=30 * back))
    coverage = make_coverage(alice, real_cast.bob, maya, subsidy_cents=12_000)
    make_coverage(alice, kind="medigap", plan_name="Medigap G", premium_cents=14_000)
    premiums.issue_ahead(coverage, through=premiums.month_after(today))
    Accumulator.objects.create(member=alice, year=today.year, deductible_cents=124_000, out_of_pocket_cents=201_500)
    return late


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_is_accessible(
    language: str, site: str, household: Bill, real_cast: Cast, sign_in: Callable[..., Any]
) -> None:
    """WCAG 2.2 AA by axe at three widths."""
    page = sign_in(real_cast.alice.user, language=language)
    for path in ("overview/", "bills/", f"bills/{household.number}/", "premiums/", "help/", "bills/?state=void"):
        answer = page.goto(f"{site}/{path}")
        assert answer.status == 200
        assert page.evaluate("document.documentElement.lang") == language
        _shoot(page, f"{path.strip('/').replace('/', '-').replace('?', '-')}-{language}")
        assert_accessible(page)


def test_an_empty_household_is_accessible(site: str, real_cast: Cast, sign_in: Callable[..., Any]) -> None:
    """The empty states, too."""
    page = sign_in(real_cast.charlie.user)
    for path in ("overview/", "bills/", "premiums/"):
        assert page.goto(f"{site}/{path}").status == 200
        _shoot(page, f"empty-{path.strip('/')}")
        assert_accessible(page)


def _shoot(page: Any, name: str) -> None:
    """A picture for people to look at, where SHOTS names a folder."""
    if SHOTS:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)
