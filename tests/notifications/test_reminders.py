"""Reminders: of the right bills, on the right day, to the right people, once, and never of money that is on its way."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Member
from bills import issuing
from bills.banking_days import is_banking_day
from bills.models import Bill
from notifications import bill_notices, notices, sending
from notifications.models import Notification, ReminderRun
from payments.models import AutopayCharge, AutopayEnrollment, Payment
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.notifications.telling import hush, make_notice
from tests.payments.autopay.making import enrolled
from tests.smtp import Mailbox

TODAY = dt.date(2026, 12, 1)
KINDS = {
    7: "due_in_7_days", 3: "due_in_3_days", 1: "due_tomorrow", 0: "due_today", -1: "past_due_1_day",
    -7: "past_due_7_days", -30: "past_due_30_days",
}  # fmt: skip
WEEKEND = {-2: "past_due_1_day", -3: "past_due_1_day"}  # before TODAY, a Tuesday


def bill_due(member: Member, in_days: int = 3) -> Bill:
    bill = make_bill(member, due_on=TODAY + dt.timedelta(days=in_days))
    hush()
    return bill


def told() -> set[tuple[str, str]]:
    """Kind and reader of every notice."""
    return {(notice.kind, str(notice.user.email)) for notice in Notification.objects.select_related("user")}


@pytest.mark.parametrize("in_days", range(-31, 9))
def test_a_bill_is_reminded_of_on_the_days_that_the_table_names_and_no_other(cast: Cast, in_days: int) -> None:
    bill, told_on = bill_due(cast.maya, in_days), KINDS | WEEKEND
    bill_notices.remind(TODAY)
    assert [(notice.kind, notice.subject) for notice in Notification.objects.all()] == (
        [(told_on[in_days], f"bill:{bill.number}")] if in_days in told_on else []
    )


def test_what_is_due_while_banks_are_closed_is_past_due_once_they_were_open(cast: Cast) -> None:
    """RULES 11: due on the Saturday, the Sunday and the Monday of Labor Day, it is in time until Tuesday's end."""
    saturday = dt.date(2026, 9, 5)
    for number in range(3):
        make_bill(cast.maya, due_on=saturday + dt.timedelta(days=number), issued_on=saturday - dt.timedelta(days=20))
    for number in range(1, 7):
        day = saturday + dt.timedelta(days=number)
        bill_notices.remind(day)
        assert Notification.objects.filter(kind="past_due_1_day").count() == (3 if number > 3 else 0), day


def test_no_notice_of_past_due_leaves_before_the_banks_were_open(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The due date was moved meanwhile: it is a Saturday now, and on Monday the bill is paid in time."""
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2026, 11, 23, 20, tzinfo=dt.UTC))
    notice = make_notice(cast, "past_due_1_day", next_try_at=timezone.now())
    Bill.objects.update(due_on=dt.date(2026, 11, 21))
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert notice.reason == "the bill is not past due"


@pytest.mark.parametrize(
    ("who", "readers"),
    [("alice", {"alice@example.com"}), ("maya", {"alice@example.com"}),
     ("bob", {"alice@example.com", "bob@example.com"}), ("charlie", {"charlie@example.com"})],
)  # fmt: skip
def test_the_member_and_the_holder_are_reminded(cast: Cast, who: str, readers: set[str]) -> None:
    bill_due(getattr(cast, who))
    bill_notices.remind(TODAY)
    assert told() == {("due_in_3_days", reader) for reader in readers}


def test_of_a_confidential_members_bill_the_member_alone_hears(cast: Cast) -> None:
    """L02: shared with the holder or not."""
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    bill = bill_due(cast.bob)
    Bill.objects.filter(pk=bill.pk).update(shared_at=timezone.now())
    bill_notices.remind(TODAY)
    assert told() == {("due_in_3_days", "bob@example.com")}


def test_a_confidential_child_without_a_sign_in_has_nobody_told(cast: Cast) -> None:
    """L02: none if there is none."""
    Member.objects.filter(pk=cast.maya.pk).update(confidential_since=timezone.now())
    bill_due(cast.maya)
    assert bill_notices.remind(TODAY) == 0


@pytest.mark.parametrize("status", ["submitted", "requires_action", "processing"])
def test_what_is_on_its_way_is_not_chased(cast: Cast, status: str) -> None:
    """D01: for as many days as the bank takes, before and after the bill is due."""
    bill = bill_due(cast.maya, 3)
    make_payment({bill: 18_500}, payer=cast.alice.user, status=status)
    for in_days in KINDS:
        assert bill_notices.remind(bill.due_on - dt.timedelta(days=in_days)) == 0


@pytest.mark.parametrize("in_days", [3, 0, -7])
@pytest.mark.parametrize(
    ("charge", "enrollment", "count"),
    [("announced", "active", 0), ("sent", "active", 0), ("announced", "paused", 1), ("asked", "active", 1),
     ("skipped", "active", 1), ("failed", "active", 1)],
)  # fmt: skip
def test_what_autopay_takes_is_not_chased(cast: Cast, in_days: int, charge: str, enrollment: str, count: int) -> None:
    """Its member was told ahead; what is skipped, failed for good, paused or waits for a yes is theirs to pay."""
    bill = bill_due(cast.alice, in_days)
    on = enrolled(cast.alice)
    made = AutopayCharge.objects.create(
        enrollment=on, household=bill.household, bill=bill, amount_cents=18_500, due_on=bill.due_on,
        charge_on=bill.due_on, status=charge,
    )  # fmt: skip
    until = TODAY if enrollment == "paused" else None
    AutopayEnrollment.objects.filter(pk=on.pk).update(status=enrollment, paused_until=until)
    hush()
    bill_notices.remind(TODAY)
    assert Notification.objects.count() == count
    assert made.status == charge


def test_autopay_turned_on_between_queueing_and_sending_is_enough(cast: Cast, mailbox: Mailbox) -> None:
    notice = make_notice(cast, "due_today")
    bill = Bill.objects.get(number=notice.subject.removeprefix("bill:"))
    AutopayCharge.objects.create(
        enrollment=enrolled(cast.alice), household=bill.household, bill=bill, amount_cents=18_500, due_on=bill.due_on,
        charge_on=bill.due_on,
    )  # fmt: skip
    assert sending.send_waiting() == 0
    assert Notification.objects.get(kind="due_today").reason == "autopay takes it"


def test_a_part_on_its_way_leaves_the_rest_to_be_reminded_of(cast: Cast) -> None:
    bill = bill_due(cast.maya)
    make_payment({bill: 18_499}, payer=cast.alice.user, status=PaymentStatus.PROCESSING)
    assert bill_notices.remind(TODAY) == 1


@pytest.mark.parametrize(("on", "count"), [(TODAY, 0), (TODAY + dt.timedelta(days=5), 0), (None, 1)])
def test_a_payment_that_is_scheduled_counts_and_a_draft_does_not(cast: Cast, on: dt.date | None, count: int) -> None:
    payment = make_payment({bill_due(cast.maya): 18_500}, payer=cast.alice.user, status=PaymentStatus.DRAFT)
    Payment.objects.filter(pk=payment.pk).update(scheduled_on=on)
    assert bill_notices.remind(TODAY) == count


@pytest.mark.parametrize("status", ["failed", "canceled", "returned"])
def test_what_did_not_come_is_reminded_of_again(cast: Cast, status: str) -> None:
    make_payment({bill_due(cast.maya): 18_500}, payer=cast.alice.user, status=status)
    assert bill_notices.remind(TODAY) == 1


def test_a_bill_that_is_paid_void_or_on_hold_is_not_reminded_of(cast: Cast) -> None:
    paid, void, held = (bill_due(cast.maya) for _ in range(3))
    make_payment({paid: 18_500}, payer=cast.alice.user)
    issuing.void(void, on=TODAY, reason="x", actor="x")
    Bill.objects.filter(pk=held.pk).update(held_since=timezone.now())
    assert bill_notices.remind(TODAY) == 0


def test_a_bill_that_goes_out_today_is_new_and_not_yet_reminded_of(cast: Cast) -> None:
    make_bill(cast.maya, issued_on=TODAY, due_on=TODAY)
    assert bill_notices.remind(TODAY) == 0


def test_however_often_it_runs_each_reminder_is_made_once(cast: Cast) -> None:
    """L05."""
    bill_due(cast.bob)
    assert [bill_notices.remind(TODAY) for _ in range(3)] == [2, 0, 0]
    run = ReminderRun.objects.get()
    assert (run.day, run.made) == (TODAY, 2)


def test_two_beats_at_the_same_tick_make_each_reminder_once(real_cast: Cast) -> None:
    """L05: eight at once, over forty bills."""
    for _ in range(40):
        bill_due(real_cast.maya)

    def run(_number: int) -> int:
        try:
            return bill_notices.remind(TODAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == 40
    assert Notification.objects.count() == 40


@pytest.mark.parametrize("count", [1, 20])
def test_many_bills_cost_as_many_statements_as_one(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _ in range(count):
        bill_due(cast.maya)
    with django_assert_num_queries(8):  # the day's run and the one statement, with their savepoints
        assert bill_notices.remind(TODAY) == count


def test_a_day_that_was_missed_is_caught_up_with(cast: Cast) -> None:
    """The machine stood still for two days: what fell due to be said then is said now, and once."""
    bill_due(cast.maya, in_days=2)  # due in three days: yesterday
    bill_due(cast.maya, in_days=8)  # in a week: tomorrow
    bill_notices.remind_daily(TODAY - dt.timedelta(days=2))
    assert bill_notices.remind_daily(TODAY) == 1
    assert bill_notices.remind_daily(TODAY) == 0
    assert told() == {("due_in_3_days", "alice@example.com")}


def test_the_first_run_of_all_begins_today(cast: Cast) -> None:
    bill_due(cast.maya, in_days=2)
    assert bill_notices.remind_daily(TODAY) == 0


@pytest.mark.parametrize(
    ("moment", "kind"),
    [
        ("2026-12-02T07:59:00Z", "due_today"),  # 23:59 on the first in California
        ("2026-12-02T08:01:00Z", "past_due_1_day"),
        ("2026-12-01T08:01:00Z", "due_today"),
        ("2026-12-01T07:59:00Z", "due_tomorrow"),
    ],
)
def test_the_day_is_the_portals_and_not_greenwichs(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, moment: str, kind: str
) -> None:
    """E24: a bill due on the first of December."""
    bill_due(cast.maya, in_days=0)
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime.fromisoformat(moment))
    call_command("send_reminders")
    assert Notification.objects.get().kind == kind


@pytest.mark.parametrize("day", [dt.date(2026, 3, 8), dt.date(2026, 11, 1), dt.date(2028, 2, 29), dt.date(2027, 1, 1)])
def test_clock_changes_and_leap_days_shift_no_day(cast: Cast, day: dt.date) -> None:
    """E21, E22: days are counted as days; past due is what banks were open for since."""
    for in_days in KINDS:
        make_bill(cast.maya, due_on=day + dt.timedelta(days=in_days))
    were_open = is_banking_day(day - dt.timedelta(days=1))
    wanted = set(KINDS.values()) - (set() if were_open else {"past_due_1_day"})
    assert bill_notices.remind(day) == len(wanted)
    assert set(Notification.objects.values_list("kind", flat=True)) == wanted


def test_paid_between_queueing_and_sending_is_not_sent(cast: Cast, mailbox: Mailbox) -> None:
    """D01, L03."""
    bills = [make_bill(cast.maya, due_on=timezone.localdate() + dt.timedelta(days=3)) for _ in range(3)]
    hush()
    bill_notices.remind(timezone.localdate())
    make_payment({bills[0]: 18_500}, payer=cast.alice.user)
    make_payment({bills[1]: 18_500}, payer=cast.alice.user, status=PaymentStatus.PROCESSING)
    assert sending.send_waiting() == 1
    reasons = Notification.objects.filter(status="dropped").values_list("reason", flat=True)
    assert set(reasons) == {"the bill is paid, or its payment on its way"}


def test_confidential_between_queueing_and_sending_is_not_sent_nor_listed(cast: Cast, mailbox: Mailbox) -> None:
    """L02, L03: the holder's reminder of Bob's bill, which Bob has closed meanwhile."""
    make_bill(cast.bob, due_on=timezone.localdate() + dt.timedelta(days=3))
    hush()
    bill_notices.remind(timezone.localdate())
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    assert sending.send_waiting() == 1
    assert mailbox.recipients == ["bob@example.com"]
    assert not Notification.objects.visible_to(cast.alice.user).exists()


def test_a_new_bill_is_told_once_and_an_old_one_not(cast: Cast) -> None:
    """What an import brings from years ago is no news."""
    today = timezone.localdate()
    bill = make_bill(cast.maya, issued_on=today, due_on=today + dt.timedelta(days=30))
    make_bill(cast.maya, issued_on=today - dt.timedelta(days=400), due_on=today - dt.timedelta(days=370))
    notices.make()
    notices.make()
    notice = Notification.objects.get()
    assert (notice.kind, notice.subject) == ("new_bill", f"bill:{bill.number}")
    assert (notice.user_id, notice.member_id) == (cast.alice.user_id, cast.maya.pk)


def test_a_new_bill_of_nobody_with_a_sign_in_is_listed_for_a_letter(cast: Cast) -> None:
    """L17."""
    Member.objects.filter(pk=cast.alice.pk).update(user=None)
    make_bill(cast.maya, issued_on=timezone.localdate())
    notices.make()
    letter = Notification.objects.get()
    assert (letter.kind, letter.channel, letter.user_id, letter.member_id) == ("new_bill", "letter", None, cast.maya.pk)
    assert sending.send_waiting() == 0


def test_an_event_of_a_bill_that_says_too_little_stops_no_other(cast: Cast) -> None:
    """M11."""
    from activity.recording import record

    record("bill.issued", subject="bill:X", actor="x", bill_id="one")
    record("bill.issued", subject="bill:X", actor="x")
    make_bill(cast.maya)
    notices.make()
    assert Notification.objects.count() == 1


@pytest.mark.parametrize("date", ["2026-13-01", "tomorrow", "1999-01-01", "2026/12/01"])
def test_the_command_refuses_a_day_that_it_cannot_mean(cast: Cast, date: str) -> None:
    with pytest.raises(CommandError, match="--date"):
        call_command("send_reminders", date=date)


def test_the_command_takes_a_day(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    make_bill(cast.maya, due_on=timezone.localdate() + dt.timedelta(days=4))
    call_command("send_reminders", date=f"{timezone.localdate() + dt.timedelta(days=1)}")
    assert "1 new reminders" in capsys.readouterr().out
