"""What each person chose is kept to; what is required comes all the same; quiet hours hold by the portal's clock."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import preferences, sending, tasks
from notifications.kinds import KINDS
from notifications.models import Delivery, Notification, Preference
from tests.conftest import Cast
from tests.notifications.telling import due_again, hush, make_notice, wait_again
from tests.smtp import Mailbox, bodies, whole

OPTIONAL = sorted(kind.name for kind in KINDS.values() if not kind.is_required)
REQUIRED = sorted(kind.name for kind in KINDS.values() if kind.is_required)


@pytest.mark.parametrize("kind", OPTIONAL)
def test_what_was_switched_off_stays_in_the_portal(cast: Cast, mailbox: Mailbox, kind: str) -> None:
    """L08: switched off between queueing and sending, too."""
    notice = make_notice(cast, kind)
    preferences.choose(cast.alice.user, set(), channels=["mail"])
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert (notice.status, notice.reason) == ("kept", "switched off")
    assert Notification.objects.visible_to(cast.alice.user).unread().count() == 1
    assert mailbox.taken == []


@pytest.mark.parametrize("kind", REQUIRED)
def test_what_is_required_comes_whatever_was_chosen(cast: Cast, mailbox: Mailbox, kind: str) -> None:
    make_notice(cast, kind)
    preferences.choose(cast.alice.user, set(), channels=["mail"])
    for topic in {each.topic for each in KINDS.values()}:
        preferences.switch_off(cast.alice.user.pk, topic)
    assert sending.send_waiting() == 1


def test_a_kind_that_became_required_is_mailed_whatever_was_chosen_before(cast: Cast, mailbox: Mailbox) -> None:
    Preference.objects.create(user=cast.alice.user, kind="receipt", channel="mail", is_wanted=False)
    make_notice(cast, "receipt")
    assert sending.send_waiting() == 1


def test_another_persons_choice_is_theirs(cast: Cast, mailbox: Mailbox) -> None:
    preferences.choose(cast.charlie.user, set(), channels=["mail"])
    make_notice(cast, "due_today")
    assert sending.send_waiting() == 1


def test_nobody_is_sent_a_digest_who_did_not_ask_for_it(cast: Cast, mailbox: Mailbox) -> None:
    make_notice(cast, "weekly_digest")
    assert sending.send_waiting() == 0


@pytest.mark.parametrize("kind", sorted(kind.name for kind in KINDS.values() if kind.may_state_amount))
def test_an_amount_stands_in_a_mail_only_where_the_member_asked(cast: Cast, mailbox: Mailbox, kind: str) -> None:
    """L01: and never in its subject."""
    preferences.choose(cast.alice.user, {(kind, "mail")}, channels=["mail"])
    notice = make_notice(cast, kind)
    sending.send_waiting()
    preferences.write_as(cast.alice.user, states_amounts=True, quiet_from=None, quiet_until=None)
    wait_again(notice)
    sending.send_waiting()
    plain, asked = mailbox.taken
    assert "$" not in whole(plain)
    assert all("$" in body for body in bodies(asked))
    assert "$" not in str(asked["Subject"])


def test_the_amount_is_that_of_the_moment_of_sending(cast: Cast, mailbox: Mailbox) -> None:
    """L15: nobody gets yesterday's amount."""
    from bills import issuing
    from bills.models import Bill

    preferences.write_as(cast.alice.user, states_amounts=True, quiet_from=None, quiet_until=None)
    hush()
    notice = make_notice(cast, "due_today")
    bill = Bill.objects.get(number=notice.subject.removeprefix("bill:"))
    issuing.adjust(bill, amount_cents=8_500, key="x", on=timezone.localdate(), reason="x", actor="x")
    sending.send_waiting()
    assert "$100.00" in bodies(mailbox.taken[0])[0]


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-12-01T21:00-08:00", "2026-12-02T08:00-08:00"),
        ("2026-12-01T23:59-08:00", "2026-12-02T08:00-08:00"),
        ("2026-12-01T00:00-08:00", "2026-12-01T08:00-08:00"),
        ("2026-12-01T07:59-08:00", "2026-12-01T08:00-08:00"),
        ("2026-12-01T08:00-08:00", None),
        ("2026-12-01T20:59-08:00", None),
        ("2026-03-07T23:00-08:00", "2026-03-08T08:00-07:00"),  # the clock goes forward in the night
        ("2026-10-31T23:00-07:00", "2026-11-01T08:00-08:00"),  # and back
        ("2026-11-01T01:30-07:00", "2026-11-01T08:00-08:00"),
        ("2026-12-31T22:00-08:00", "2027-01-01T08:00-08:00"),
    ],
)
def test_quiet_hours_over_midnight_end_in_the_morning(at: str, end: str | None) -> None:
    """E21, E22."""
    quiet = Delivery(quiet_from=dt.time(21), quiet_until=dt.time(8))
    expected = dt.datetime.fromisoformat(end) if end else None
    assert quiet.quiet_end(dt.datetime.fromisoformat(at)) == expected


@pytest.mark.parametrize(("hour", "is_quiet"), [(11, False), (12, True), (13, True), (14, False)])
def test_quiet_hours_within_a_day(hour: int, is_quiet: bool) -> None:
    quiet = Delivery(quiet_from=dt.time(12), quiet_until=dt.time(14))
    at = timezone.make_aware(dt.datetime(2026, 12, 1, hour))
    assert (quiet.quiet_end(at) is not None) == is_quiet


def test_a_mail_waits_for_the_end_of_the_quiet_hours_and_a_security_notice_does_not(
    cast: Cast, mailbox: Mailbox
) -> None:
    now = timezone.localtime()
    begin, end = (now - dt.timedelta(hours=1)).time(), (now + dt.timedelta(hours=1)).time()
    Delivery.objects.create(user=cast.alice.user, quiet_from=begin, quiet_until=end)
    waiting, urgent = make_notice(cast, "receipt"), make_notice(cast, "method_kept")
    assert sending.send_waiting() == 1
    for notice in (waiting, urgent):
        notice.refresh_from_db()
    assert (urgent.status, waiting.status, waiting.tries) == ("sent", "waiting", 0)
    assert timezone.localtime(waiting.next_try_at).time() == end
    Delivery.objects.update(quiet_from=None, quiet_until=None)
    due_again(waiting)
    assert sending.send_waiting() == 1


def test_half_of_the_quiet_hours_is_refused_by_the_database(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="quiet_hours_whole"), transaction.atomic():
        Delivery.objects.create(user=cast.alice.user, quiet_from=dt.time(9))


def test_a_change_of_how_one_is_reached_is_confirmed_by_mail(cast: Cast, mailbox: Mailbox) -> None:
    preferences.write_as(cast.alice.user, states_amounts=True, quiet_from=None, quiet_until=None)
    preferences.write_as(cast.alice.user, states_amounts=True, quiet_from=None, quiet_until=None)
    tasks.work_off()
    assert mailbox.subjects() == ["Meridian Health: How we reach you was changed"]
