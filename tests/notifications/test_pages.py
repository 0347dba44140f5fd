"""The list of notices and the settings, in the browser's place: what is shown, marked, chosen, and refused."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Household, Member
from activity.models import Event
from notifications import reading, tasks
from notifications.models import Delivery, Notification, Preference
from tests.conftest import Cast
from tests.factories import make_delegate
from tests.notifications.telling import hush, make_notice
from tests.smtp import Mailbox

LIST, SETTINGS = "/notifications/", "/settings/notifications/"


def client_of(member: Member) -> Client:
    client = Client()
    assert member.user is not None
    client.force_login(member.user)
    return client


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_bell_counts_what_is_unread_and_the_list_marks_it(cast: Cast) -> None:
    client = client_of(cast.alice)
    notice = make_notice(cast, "due_today")
    assert '<span class="bell__count">1<' in text_of(client.get("/overview/"))
    assert "A bill is due today" in text_of(client.get(LIST))
    answer = client.get(f"{LIST}{notice.pk}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/bills/{notice.subject.removeprefix('bill:')}/")
    assert "bell__count" not in text_of(client.get("/overview/"))


def test_a_head_marks_nothing(cast: Cast) -> None:
    notice = make_notice(cast)
    client_of(cast.alice).head(f"{LIST}{notice.pk}/")
    assert Notification.objects.get().read_at is None


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_anothers_notice_does_not_exist(cast: Cast, who: str) -> None:
    """F01: not to open, not to mark, not in the list, not in the count."""
    notice = make_notice(cast)
    client = client_of(getattr(cast, who))
    assert client.get(f"{LIST}{notice.pk}/").status_code == 404
    assert client.post(f"{LIST}{notice.pk}/read/").status_code == 404
    client.post(f"{LIST}read/")
    assert "payment receipt" not in text_of(client.get(LIST))
    assert Notification.objects.get().read_at is None


def test_all_are_marked_but_what_came_since_the_list_was_shown(cast: Cast) -> None:
    shown_at = timezone.now()
    make_notice(cast, "receipt", created_at=shown_at - dt.timedelta(seconds=1))
    make_notice(cast, "due_today", created_at=shown_at + dt.timedelta(seconds=1))
    client_of(cast.alice).post(f"{LIST}read/", {"shown_at": shown_at.isoformat()})
    assert [notice.kind for notice in Notification.objects.filter(read_at__isnull=True)] == ["due_today"]


def test_the_list_is_filtered_by_topic_and_by_unread(cast: Cast) -> None:
    client = client_of(cast.alice)
    make_notice(cast, "receipt", read_at=timezone.now())
    make_notice(cast, "due_today")
    for query, wanted, other in (("topic=payments", "payment receipt", "due today"),
                                 ("unread=1", "due today", "payment receipt")):  # fmt: skip
        shown = text_of(client.get(f"{LIST}?{query}"))
        assert wanted in shown and other not in shown
    assert "No notification fits" in text_of(client.get(f"{LIST}?topic=summaries"))


def test_the_list_goes_on_by_key_and_each_stands_once(cast: Cast, django_assert_max_num_queries: Any) -> None:
    hush()
    for number in range(60):
        Notification.objects.create(kind="receipt", subject="payment:X", user=cast.alice.user, dedupe_key=f"n{number}")
    from accounts.visibility import scope_of

    scope, cursor, seen = scope_of(cast.alice.user), "", list[int]()
    while True:
        with django_assert_max_num_queries(2):
            page = reading.listed(scope, cursor=cursor)
        seen += [row.notice.pk for row in page.rows]
        cursor = page.next
        if not cursor:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 60
    stranger = reading.listed(scope_of(cast.charlie.user), cursor=page.previous)
    assert stranger.rows == []


def test_counting_the_unread_costs_one_query_however_many_there_are(cast: Cast, django_assert_num_queries: Any) -> None:
    from django.test import RequestFactory

    from accounts.visibility import scope_of
    from notifications.context import MOST_COUNTED, unread

    Notification.objects.bulk_create(
        Notification(kind="receipt", subject="payment:X", user=cast.alice.user, dedupe_key=f"n{number}")
        for number in range(MOST_COUNTED + 20)
    )
    request: Any = RequestFactory().get("/")
    request.scope = scope_of(cast.alice.user)
    with django_assert_num_queries(1):
        assert unread(request)["unread_notices"] == MOST_COUNTED
    assert "99+" in text_of(client_of(cast.alice).get(LIST))


def test_what_is_settled_by_now_says_so(cast: Cast) -> None:
    from bills.models import Bill
    from tests.factories import make_payment

    notice = make_notice(cast, "due_today")
    client = client_of(cast.alice)
    assert "Settled" not in text_of(client.get(LIST))
    make_payment({Bill.objects.get(number=notice.subject.removeprefix("bill:")): 18_500}, payer=cast.alice.user)
    assert "Settled" in text_of(client.get(LIST))


def test_a_notice_of_a_bill_whose_member_is_confidential_now_is_gone_from_the_holders_list(cast: Cast) -> None:
    """L02, F06."""
    make_notice(cast, "due_today", member_id=cast.bob.pk)
    client = client_of(cast.alice)
    assert "due today" in text_of(client.get(LIST))
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    shown = text_of(client.get(LIST))
    assert "due today" not in shown and "bell__count" not in shown


def test_choices_are_kept_and_required_ones_say_so(cast: Cast) -> None:
    client = client_of(cast.alice)
    shown = text_of(client.get(SETTINGS))
    assert "Required: this email cannot be switched off." in shown
    assert 'name="receipt:mail" checked disabled' in shown
    client.post(SETTINGS, {"due_today:mail": "on", "weekly_digest:mail": "on", "nonsense:mail": "on"})
    rows = {(row.kind, row.is_wanted) for row in Preference.objects.filter(user=cast.alice.user)}
    assert ("due_in_3_days", False) in rows and ("weekly_digest", True) in rows
    assert not any(kind in ("receipt", "nonsense", "due_today") for kind, _wanted in rows)
    shown = text_of(client.get(SETTINGS))
    assert 'name="due_in_3_days:mail">' in shown and 'name="weekly_digest:mail" checked' in shown


def test_half_a_pair_of_quiet_hours_is_refused_and_a_whole_one_kept(cast: Cast) -> None:
    client = client_of(cast.alice)
    for odd in ({"quiet_from": "21:00"}, {"quiet_from": "21:00", "quiet_until": "21:00"}, {"quiet_from": "25:00"}):
        assert client.post(f"{SETTINGS}delivery/", odd).status_code == 422
    client.post(f"{SETTINGS}delivery/", {"quiet_from": "21:00", "quiet_until": "08:00", "states_amounts": "on"})
    delivery = Delivery.objects.get()
    assert (delivery.quiet_from, delivery.quiet_until) == (dt.time(21), dt.time(8))
    assert delivery.states_amounts


def test_paperless_is_chosen_by_document_confirmed_and_taken_back(cast: Cast, mailbox: Mailbox) -> None:
    client = client_of(cast.alice)
    hush()
    client.post(f"{SETTINGS}documents/", {"household": "4410-2297", "bills": "on", "letters": "on"})
    house = Household.objects.get(pk=cast.household.pk)
    assert (house.is_paperless, house.has_paperless_bills, house.has_paperless_letters) == (False, True, True)
    events = Event.objects.filter(kind="household.paperless").order_by("pk")
    assert [(event.data["document"], event.to_status) for event in events] == [
        ("bills", "paperless"), ("letters", "paperless"),
    ]  # fmt: skip
    tasks.work_off()
    assert set(mailbox.subjects()) == {"Meridian Health: How you get your documents was changed"}
    assert set(mailbox.recipients) == {"alice@example.com"}
    client.post(f"{SETTINGS}documents/", {"household": "4410-2297"})
    assert not Household.objects.get(pk=cast.household.pk).has_paperless_bills


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_but_the_holder_chooses_paper_for_the_household(cast: Cast, who: str) -> None:
    """F04."""
    client = client_of(getattr(cast, who))
    assert client.post(f"{SETTINGS}documents/", {"household": "4410-2297", "bills": "on"}).status_code == 404
    assert not Household.objects.filter(has_paperless_bills=True).exists()


def test_a_delegate_has_a_list_and_settings_of_their_own(cast: Cast) -> None:
    """F13: nothing of those whom they pay for."""
    make_notice(cast, "due_today", member_id=cast.bob.pk)
    client = Client()
    client.force_login(make_delegate(cast.bob, "delegate@example.com", "full"))
    assert "No notifications yet" in text_of(client.get(LIST))
    assert "4410-2297" not in text_of(client.get(SETTINGS))
