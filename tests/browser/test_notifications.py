"""The list of notices and their settings in a real browser: axe, narrow screens, and the way from bell to bill."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from notifications import unsubscribing
from notifications.kinds import Topic
from notifications.models import Notification
from tests.browser.accessibility import assert_accessible
from tests.conftest import Cast
from tests.notifications.telling import make_notice

SHOTS = os.environ.get("SHOTS", "")


def shoot(page: Any, name: str) -> None:
    """Keep a picture where SHOTS says."""
    for width in (1280, 390) if SHOTS else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=str(Path(SHOTS) / f"{name}-{width}.png"), full_page=True)


@pytest.fixture
def told(real_cast: Cast) -> Cast:
    """Alice was told of many things, and has read one."""
    for kind in ("receipt", "payment_on_its_way", "due_in_7_days", "past_due_1_day", "method_kept"):
        make_notice(real_cast, kind)
    make_notice(real_cast, "refund_sent", read_at=timezone.now())
    for number in range(25):
        Notification.objects.create(
            kind="receipt", subject="payment:4021-5532-1180", user=real_cast.alice.user, dedupe_key=f"n{number}",
            read_at=timezone.now(),
        )  # fmt: skip
    make_notice(real_cast, "due_today")
    return real_cast


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("path", ["notifications/", "notifications/?topic=summaries", "settings/notifications/"])
def test_the_pages_pass_axe_and_fit_narrow_screens(
    told: Cast, site: str, sign_in: Callable[..., Any], path: str, language: str
) -> None:
    page = sign_in(told.alice.user, language=language)
    page.goto(f"{site}/{path}")
    shoot(page, path.strip("/").replace("/", "-").replace("?", "-") + f"-{language}")
    assert_accessible(page)


def test_the_page_that_stops_emails_passes_axe(told: Cast, site: str, visitor: Callable[..., Any]) -> None:
    page = visitor()
    assert told.alice.user_id is not None
    address = unsubscribing.address(told.alice.user_id, Topic.BILLS)
    page.goto(f"{site}/{address.partition('//')[2].partition('/')[2]}")
    assert_accessible(page)
    shoot(page, "unsubscribe")
    page.get_by_role("button", name="Stop these emails").click()
    page.get_by_role("heading", name="These emails are stopped").wait_for()


def test_from_the_bell_to_the_very_bill(told: Cast, site: str, sign_in: Callable[..., Any]) -> None:
    page = sign_in(told.alice.user)
    page.goto(f"{site}/overview/")
    shoot(page, "bell")
    page.get_by_role("link", name="Notifications").click()
    page.get_by_role("link", name="A bill is due today").click()
    number = Notification.objects.get(kind="due_today").subject.removeprefix("bill:")
    page.wait_for_url(f"{site}/bills/{number}/")
    page.goto(f"{site}/notifications/?unread=1")
    assert page.get_by_role("link", name="A bill is due today").count() == 0
    page.get_by_role("button", name="Mark all as read").click()
    page.get_by_text("No notification fits this filter.").wait_for()
