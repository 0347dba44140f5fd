"""Grace periods day by day: begun, warned of, cured by the money, ended; twice, late and after outages."""

import datetime as dt
import io

import pikepdf
import pytest

from accounts.models import Coverage
from activity.models import Event
from bills import holds, issuing
from bills.models import Bill, GracePeriod, Hold
from notifications import notices
from notifications.models import Notification
from payments import grace
from payments.grace import Summary
from tests.conftest import Cast
from tests.factories import make_coverage, make_payment
from tests.payments.pages import signed_in, text_of

CENTS = 50_000


def day(text: str) -> dt.date:
    """A date of 2026."""
    return dt.date.fromisoformat(f"2026-{text}")


def premium(coverage: Coverage, number: int, cents: int = CENTS) -> Bill:
    """The bill of a month, due on its first."""
    first = dt.date(2026, number, 1)
    return issuing.issue(
        member=coverage.subscriber, kind=Bill.Kind.PREMIUM, amount_cents=cents, title="Premium",
        issued_on=first - dt.timedelta(days=20), due_on=first, source="test", source_id=f"{coverage.pk}:{number}",
        coverage=coverage, period=first,
    )  # fmt: skip


@pytest.fixture
def coverage(cast: Cast) -> Coverage:
    """Alice's coverage without a credit, in California: 30 days from the notice."""
    return make_coverage(cast.alice, cast.bob, premium_cents=CENTS, start_on=day("01-01"))


@pytest.fixture
def subsidised(cast: Cast) -> Coverage:
    """Alice's marketplace plan: three months, all of it to be paid. January is paid."""
    coverage = make_coverage(cast.alice, premium_cents=CENTS, subsidy_cents=20_000, start_on=day("01-01"))
    make_payment({premium(coverage, 1): CENTS})
    return coverage


def kinds() -> list[str]:
    """The events of grace so far."""
    return list(Event.objects.filter(kind__startswith="coverage.").order_by("pk").values_list("kind", flat=True))


def test_a_grace_period_begins_once_and_is_warned_of_once(coverage: Coverage) -> None:
    """The day after the due date, with its notice; a week before its end again; whatever runs twice."""
    premium(coverage, 9)
    assert grace.run(day("09-01")) == Summary()
    assert [grace.run(day("09-02")), grace.run(day("09-02"))] == [Summary(began=1), Summary()]
    found = GracePeriod.objects.get()
    assert (found.noticed_on, found.ends_on, found.due_cents) == (day("09-02"), day("10-02"), CENTS)
    assert grace.run(day("09-24")) == Summary()
    assert [grace.run(day("09-25")), grace.run(day("09-26"))] == [Summary(warned=1), Summary()]
    assert kinds() == ["coverage.grace_began", "coverage.grace_ends_soon"]


def test_the_money_cures_it_also_while_it_is_on_its_way(coverage: Coverage) -> None:
    """RULES section 4: a payment on its way counts. If the bank takes it back, grace begins anew, with a new notice."""
    bill = premium(coverage, 9)
    grace.run(day("09-02"))
    payment = make_payment({bill: CENTS}, status="processing")
    assert grace.run(day("09-20")) == Summary(cured=1)
    type(payment).objects.filter(pk=payment.pk).update(status="failed")
    assert grace.run(day("09-25")) == Summary(began=1)
    found = GracePeriod.objects.get()
    assert (found.times, found.status, found.ends_on) == (2, "open", day("10-25"))


def test_without_payment_coverage_ends_and_later_months_are_charged_back(subsidised: Coverage) -> None:
    """45 CFR 156.270(g): back to the last day of the first month; the months beyond it are owed no more."""
    february, march = premium(subsidised, 2), premium(subsidised, 3)
    assert grace.run(day("02-03")) == Summary(began=1)
    grace.run(day("04-24"))
    assert [grace.run(day("04-30")), grace.run(day("05-01"))] == [Summary(), Summary(ended=1)]
    subsidised.refresh_from_db()
    assert (GracePeriod.objects.get().status, subsidised.end_on) == ("ended", day("02-28"))
    for bill in (february, march):
        bill.receivable.refresh_from_db()
    assert (february.balance_cents > 0, march.balance_cents) == (True, 0)
    assert grace.run(day("05-02")) == Summary()


def test_a_part_of_what_is_late_does_not_cure_a_marketplace_plan(subsidised: Coverage) -> None:
    """45 CFR 156.270(g): the full arrears are needed; elsewhere the month that is late is enough."""
    february, march = premium(subsidised, 2), premium(subsidised, 3)
    grace.run(day("02-03"))
    make_payment({february: CENTS})
    assert grace.run(day("03-05")).cured == 0
    make_payment({march: CENTS})
    assert grace.run(day("03-06")).cured == 1


def test_another_products_month_is_cured_by_itself_and_the_next_begins_its_own(coverage: Coverage) -> None:
    """Each month has its own grace where the law does not ask for all of it."""
    september, _october = premium(coverage, 9), premium(coverage, 10)
    grace.run(day("09-02"))
    make_payment({september: CENTS})
    assert grace.run(day("10-02")) == Summary(began=1, cured=1)
    assert list(GracePeriod.objects.order_by("pk").values_list("period", "status")) == [
        (day("09-01"), "cured"), (day("10-01"), "open"),
    ]  # fmt: skip


def test_after_an_outage_nobodys_coverage_ends_on_the_day_of_the_notice(cast: Cast) -> None:
    """Oregon, 31 days from the due date, and nothing ran for two months: the notice comes first, then ten days."""
    coverage = make_coverage(cast.charlie, premium_cents=CENTS, start_on=day("01-01"))
    premium(coverage, 6)
    assert grace.run(day("08-10")) == Summary(began=1)
    assert grace.run(day("08-20")).ended == 0
    assert grace.run(day("08-21")).ended == 1


def test_a_month_under_review_neither_begins_nor_ends_grace(coverage: Coverage) -> None:
    """The clock stands while the member's question is open."""
    bill = premium(coverage, 9)
    hold = holds.begin(bill, cause=Hold.Cause.QUESTION, reference="inquiry:1")
    assert grace.run(day("09-05")) == Summary()
    holds.end([hold])
    assert grace.run(day("09-06")) == Summary(began=1)
    holds.begin(bill, cause=Hold.Cause.QUESTION, reference="inquiry:2")
    assert grace.run(day("11-20")) == Summary()


def test_the_subscriber_and_the_holder_are_told_and_a_confidential_members_holder_is_not(cast: Cast) -> None:
    """Civ. Code 56.107: only the member hears. Nobody to mail: a letter (FAULTS L17)."""
    of_bob, of_maya = make_coverage(cast.bob), make_coverage(cast.maya)
    premium(of_bob, 9)
    premium(of_maya, 9)
    grace.run(day("09-02"))
    notices.make()
    told = set(Notification.objects.filter(kind="grace_began").values_list("user_id", "channel", "member_id"))
    assert told == {
        (cast.bob.user_id, "mail", cast.bob.pk), (cast.alice.user_id, "mail", cast.bob.pk),
        (cast.alice.user_id, "mail", cast.maya.pk),
    }  # fmt: skip


def test_who_has_no_sign_in_gets_the_notice_by_letter(cast: Cast) -> None:
    """28 CCR 1300.65 asks for the notice, sign-in or not."""
    type(cast.charlie).objects.filter(pk=cast.charlie.pk).update(user=None)
    premium(make_coverage(cast.charlie), 9)
    grace.run(day("09-02"))
    notices.make()
    found = Notification.objects.get(kind="grace_began")
    assert (found.user_id, found.channel, found.member_id) == (None, "letter", cast.charlie.pk)


def test_the_premium_page_has_the_clock_and_one_button_that_cures_it(
    coverage: Coverage, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paid through, the last day, what then ends, and /pay/ with the late months chosen."""
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args: day("10-05"))
    make_payment({premium(coverage, 8): CENTS})
    late = [premium(coverage, 9), premium(coverage, 10)]
    grace.run(day("09-02"))
    client = signed_in(cast.alice)
    answer = client.get("/premiums/")
    page = text_of(answer)
    for words in ("Paid through Aug 31, 2026", "Last day to pay", "Pay $1,000.00 and keep your coverage"):
        assert words in page
    assert f"/pay/?bill={late[0].number}&amp;bill={late[1].number}" in answer.content.decode()
    letter = client.get(f"/premiums/grace/{GracePeriod.objects.get().pk}/")
    with pikepdf.open(io.BytesIO(letter.content)) as opened:
        assert "/StructTreeRoot" in opened.Root and opened.Root.Lang == "en"
