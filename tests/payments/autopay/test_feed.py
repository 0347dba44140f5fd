"""A member's private calendar: what it tells, to whom, how often, and how it ends."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from payments.autopay import feed
from payments.models import CalendarFeed
from payments.pages import calendar_feed
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.adding import proved
from tests.payments.autopay.making import announced, enrolled, make_terms
from tests.payments.pages import signed_in, text_of

pytestmark = pytest.mark.django_db


def read(path: str) -> list[tuple[str, dt.date]]:
    """What a calendar finds at an address: words and days."""
    answer = Client().get(path)
    assert answer.status_code == 200
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    return sorted((str(event["summary"]), event["dtstart"].dt) for event in events)


def test_it_has_due_dates_and_autopay_days_and_nothing_of_care(cast: Cast) -> None:
    """No service, provider, person or number; amounts only where they were asked for."""
    charge = announced(enrolled(cast.alice), cast.maya)
    make_bill(cast.charlie)
    path = feed.renew(cast.alice.user, states_amounts=False)
    assert read(path) == [("Automatic payment", charge.charge_on), ("Payment due", charge.due_on)]
    text = Client().get(path).content.decode()
    for canary in ("Maya", "Rivera", "Outpatient", "Oakridge", "185.00", "$", charge.bill.number, "4410-2297"):
        assert canary not in text
    assert read(feed.renew(cast.alice.user, states_amounts=True))[0][0] == "Automatic payment: $185.00"


def test_its_answers_are_kept_by_nobody_and_are_the_same_each_time(cast: Cast) -> None:
    announced(enrolled(cast.alice), cast.alice)
    path = feed.renew(cast.alice.user, states_amounts=False)
    first, second = Client().get(path), Client().get(path)
    assert first["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-store" in first["Cache-Control"]
    assert "noindex" in first["X-Robots-Tag"]
    names = [
        [str(event["uid"]) for event in Calendar.from_ical(answer.content).walk("VEVENT")] for answer in (first, second)
    ]
    assert names[0] == names[1]
    assert len(set(names[0])) == 2


def test_it_is_in_the_members_language(cast: Cast) -> None:
    cast.alice.user.language = "es"
    cast.alice.user.save()
    make_bill(cast.alice)
    assert read(feed.renew(cast.alice.user, states_amounts=False))[0][0] == "Pago por hacer"


def test_only_the_whole_address_opens_it_and_only_its_hash_is_kept(cast: Cast) -> None:
    path = feed.renew(cast.alice.user, states_amounts=False)
    secret = path.split("/")[-1].removesuffix(".ics")
    assert secret not in str(CalendarFeed.objects.values())
    for wrong in ("x", secret[:-1], secret.upper(), "x" * 5_000):
        assert Client().get(f"/calendar-feed/{wrong}.ics").status_code == 404


def test_it_ends_at_once_when_it_is_renewed_ended_or_its_member_is_closed(cast: Cast) -> None:
    first = feed.renew(cast.alice.user, states_amounts=False)
    second = feed.renew(cast.alice.user, states_amounts=False)
    assert [Client().get(path).status_code for path in (first, second)] == [404, 200]
    cast.alice.user.is_active = False
    cast.alice.user.save()
    assert Client().get(second).status_code == 404
    cast.alice.user.is_active = True
    cast.alice.user.save()
    feed.end(cast.alice.user)
    assert Client().get(second).status_code == 404


def test_what_its_member_no_longer_sees_is_gone_from_it(cast: Cast) -> None:
    """F27."""
    announced(enrolled(cast.alice, make_terms(cast.alice, cast.bob)), cast.bob)
    path = feed.renew(cast.alice.user, states_amounts=False)
    assert len(read(path)) == 2
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    assert read(path) == []


def test_it_is_read_so_often_and_no_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    path = feed.renew(cast.alice.user, states_amounts=False)
    statuses = [Client().get(path).status_code for _read in range(calendar_feed.READS_PER_FEED.amount + 1)]
    assert statuses[-2:] == [200, 429]


def test_its_page_makes_shows_once_renews_and_ends_it(cast: Cast) -> None:
    """After a fresh proof."""
    assert signed_in(cast.bob).post("/autopay/feed/")["Location"].startswith("/accounts/reauthenticate/")
    alice = proved(cast.alice)
    assert "Make an address" in text_of(alice.get("/autopay/feed/"))
    made = alice.post("/autopay/feed/", {"states_amounts": "on"})
    assert "no-store" in made["Cache-Control"]
    address = text_of(made).partition("Copy this address now")[2].split()[0]
    path = address.partition("/calendar-feed/")[2]
    assert Client().get(f"/calendar-feed/{path}").status_code == 200
    assert path not in text_of(alice.get("/autopay/feed/"))
    assert CalendarFeed.objects.get().states_amounts
    alice.post("/autopay/feed/", {"end": "1"})
    assert not CalendarFeed.objects.exists()
    assert Client().get(f"/calendar-feed/{path}").status_code == 404
