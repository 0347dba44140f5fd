"""The weekly digest: for those who asked, once a week, counts and a link."""

import datetime as dt

from accounts.models import Member
from notifications import digest, preferences, sending
from notifications.models import Notification
from tests.conftest import Cast
from tests.factories import make_bill
from tests.notifications.telling import hush
from tests.smtp import Mailbox, bodies

MONDAY = dt.date(2026, 11, 30)


def ask(member: Member) -> None:
    assert member.user is not None
    preferences.choose(member.user, {("weekly_digest", "mail")}, channels=["mail"])


def test_it_comes_once_a_week_to_those_who_asked(cast: Cast) -> None:
    ask(cast.alice)
    assert [digest.make(MONDAY + dt.timedelta(days=day)) for day in (0, 0, 3, 6, 7)] == [1, 0, 0, 0, 1]
    assert set(Notification.objects.values_list("user_id", flat=True)) == {cast.alice.user_id}


def test_it_counts_what_its_reader_sees_and_no_more(cast: Cast, mailbox: Mailbox) -> None:
    """L01, L02: Bob's digest is of Bob's bills; no amount, no name."""
    for member in (cast.alice, cast.bob, cast.maya, cast.charlie):
        make_bill(member)
    hush()
    ask(cast.alice)
    ask(cast.bob)
    digest.make(MONDAY)
    assert sending.send_waiting() == 2
    said = {str(message["To"]): bodies(message)[0] for message in mailbox.taken}
    assert "There are 3 bills to pay." in said["alice@example.com"]
    assert "There is 1 bill to pay." in said["bob@example.com"]
    assert not any(word in text for text in said.values() for word in ("$", "Maya", "Bob", "Rivera", "Oakridge"))


def test_where_there_is_nothing_to_tell_none_is_sent(cast: Cast, mailbox: Mailbox) -> None:
    ask(cast.charlie)
    digest.make(MONDAY)
    assert sending.send_waiting() == 0
    assert Notification.objects.get().status == "dropped"
