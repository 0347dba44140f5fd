"""Premiums: one bill a coverage and month, whatever the number of runs; part months; changes afterwards."""

import calendar
import datetime as dt
import re
import threading
from collections import Counter
from fractions import Fraction

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.aids import CHARITABLE, SUBSIDY
from activity.models import Event
from bills import premiums
from bills.models import Bill, BillLine
from bills.premium_sql import MONTH_AMOUNTS
from ledger.chart import Code, SystemAccount
from ledger.models import Account, Transfer
from ledger.opening import system_id
from tests.bills.covering import DECEMBER, NOVEMBER_20, balance, cover, today  # noqa: F401


def test_a_months_premium_is_charged_whole_and_subsidised_apart(cast):
    coverage = cover(cast, charitable_cents=5000)
    assert premiums.issue_month(DECEMBER) == 1
    bill = Bill.objects.get()
    assert (bill.coverage, bill.period, bill.kind) == (coverage, DECEMBER, "premium")
    assert (bill.amount_cents, bill.balance_cents) == (78076, 48076)
    assert (bill.issued_on, bill.due_on, bill.receivable.matures_on) == (NOVEMBER_20, DECEMBER, DECEMBER)
    assert bill.title == "December 2026 premium"
    assert premiums.title_of(bill) == "December 2026 premium"
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", bill.number)
    assert list(BillLine.objects.values_list("position", "description", "charged_cents", "amount_cents")) == [
        (1, "Premium", 78076, 78076),
        (2, "Premium tax credit", 0, -25000),
        (3, "Charitable coverage", 0, -5000),
    ]
    assert list(Transfer.objects.order_by("id").values_list("code", "amount_cents", "debit_id", "credit_id")) == [
        (Code.BILL_ISSUED, 78076, bill.receivable_id, system_id(SystemAccount.PREMIUM_REVENUE)),
        (Code.SUBSIDY, 25000, system_id(SystemAccount.SUBSIDY_EXPENSE), bill.receivable_id),
        (Code.CHARITABLE_SUBSIDY, 5000, system_id(SystemAccount.SUBSIDY_EXPENSE), bill.receivable_id),
    ]
    assert balance(cast.alice.premium_control_id) == 48076
    event = Event.objects.get()
    assert (event.kind, event.subject, event.data) == ("bill.issued", f"bill:{bill.number}", {"bill_id": bill.pk})


def test_a_page_a_query_and_a_months_bill_hold_the_same_days_for_aided(cast):
    first, last = DECEMBER, DECEMBER + dt.timedelta(days=9)
    for start, end in ((None, None), (first, last), (first, None), (None, last)):
        coverage = cover(
            cast, start_on=NOVEMBER_20, charitable_cents=5000, charitable_starts_on=start, charitable_ends_on=end,
            subsidy_ends_on=end,
        )  # fmt: skip
        for day in (first - dt.timedelta(days=1), first, last, last + dt.timedelta(days=1)):
            both = [(aid.cents_on(coverage, day), aid.cents_sql("c", "m.first")) for aid in (SUBSIDY, CHARITABLE)]
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT {both[0][1]}, {both[1][1]}, s.subsidy_cents, h.charitable_cents"
                    " FROM (SELECT %(day)s::date AS first, %(day)s::date AS last, 1 AS days) m"
                    f" JOIN accounts_coverage c ON c.id = %(id)s {MONTH_AMOUNTS}",
                    {"day": day, "id": coverage.pk},
                )
                assert cursor.fetchone() == (both[0][0], both[1][0]) * 2, (start, end, day)


def test_a_second_run_issues_nothing(cast):
    cover(cast)
    assert [premiums.issue_month(DECEMBER) for _run in range(3)] == [1, 0, 0]
    assert Transfer.objects.count() == 2


def test_a_run_goes_through_its_chunks_and_reports_them(cast):
    for _number in range(7):
        cover(cast)
    seen: list[int] = []
    assert premiums.issue_month(DECEMBER, chunk_size=3, progress=seen.append) == 7
    assert seen == [3, 3, 1]
    assert Bill.objects.values("number").distinct().count() == 7


def test_a_run_that_was_stopped_goes_on_where_it_stood(cast):
    """FAULTS B08's neighbour: what a chunk committed stays, and only the rest is issued."""
    for _number in range(5):
        cover(cast)

    def stop(_new: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        premiums.issue_month(DECEMBER, chunk_size=2, progress=stop)
    assert Bill.objects.count() == 2
    assert premiums.issue_month(DECEMBER, chunk_size=2) == 3


def test_a_number_that_is_taken_is_drawn_again(cast, monkeypatch):
    """A collision of drawn numbers leaves no coverage without its bill and no account without a bill."""
    drawn = "sha256(%(seed)s || int8send(due.coverage_id))"
    narrow = premiums.DRAW_UP.replace(
        f"substr({drawn}, 1, 6)", f"set_byte('\\x000000000000'::bytea, 5, get_byte({drawn}, 0) & 3)"
    )
    monkeypatch.setattr(premiums, "DRAW_UP", narrow)
    accounts_before = Account.objects.count()
    for _number in range(4):
        cover(cast)
    monkeypatch.setattr(premiums, "MAX_PASSES", 200)
    assert premiums.issue_month(DECEMBER) == 4
    assert {bill.number for bill in Bill.objects.all()} == {"0000-0000", "0000-0001", "0000-0002", "0000-0003"}
    assert Account.objects.count() == accounts_before + 4
    assert BillLine.objects.count() == 8


def test_numbers_in_sql_use_every_symbol_alike(db):
    """FAULTS F08: drawn, not counted; each of the 32 symbols as likely as the others."""
    from bills import numbers

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {numbers.in_sql('substr(sha256(int8send(n)), 1, 6)')} FROM generate_series(1, 4000) n")
        drawn = [number for (number,) in cursor.fetchall()]
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", number) for number in drawn)
    counts = Counter("".join(drawn).replace("-", ""))
    assert set(counts) == set(numbers.ALPHABET)
    assert max(counts.values()) < 1.2 * min(counts.values())


def test_parallel_runs_issue_each_bill_once(real_cast):
    """FAULTS A16's neighbour: eight runs at once, and a member who opens months ahead meanwhile."""
    coverages = [cover(real_cast) for _number in range(40)]
    counts, failures = [], []

    def run(number: int) -> None:
        try:
            if number == 0:
                premiums.issue_ahead(coverages[20], through=dt.date(2027, 3, 1))
            else:
                counts.append(premiums.issue_month(DECEMBER, chunk_size=7))
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Bill.objects.filter(period=DECEMBER).count() == 40
    assert sum(counts) in (39, 40)
    bills = Bill.objects.count()
    assert Transfer.objects.filter(code=Code.BILL_ISSUED).count() == bills
    assert Transfer.objects.filter(code=Code.SUBSIDY).count() == bills
    assert Account.objects.filter(matures_on__isnull=False).count() == bills
    assert balance(real_cast.alice.premium_control_id) == bills * 53076


@pytest.mark.parametrize(
    ("changes", "gross", "subsidy"),
    [
        ({"start_on": dt.date(2026, 12, 10)}, round(78076 * 22 / 31), round(25000 * 22 / 31)),
        ({"end_on": dt.date(2026, 12, 14)}, round(78076 * 14 / 31), round(25000 * 14 / 31)),
        ({"start_on": dt.date(2026, 12, 31)}, round(78076 / 31), round(25000 / 31)),
        ({"subsidy_ends_on": dt.date(2026, 12, 15)}, 78076, round(25000 * 15 / 31)),
        ({"subsidy_ends_on": dt.date(2026, 11, 30)}, 78076, 0),
        ({"end_on": dt.date(2026, 12, 31)}, 78076, 25000),
    ],
)
def test_part_months_are_charged_by_the_day(cast, changes, gross, subsidy):
    cover(cast, **changes)
    premiums.issue_month(DECEMBER)
    bill = Bill.objects.get()
    assert (bill.amount_cents, bill.balance_cents) == (gross, gross - subsidy)
    is_part = "start_on" in changes or changes.get("end_on") == dt.date(2026, 12, 14)
    assert (bill.lines.first().description == premiums.PART_OF_MONTH) is is_part


@pytest.mark.parametrize(
    "changes",
    [
        {"start_on": dt.date(2027, 1, 1)},
        {"end_on": dt.date(2026, 11, 30)},
        {"premium_cents": 0, "subsidy_cents": 0},
    ],
)
def test_a_month_that_costs_nothing_has_no_bill(cast, changes):
    cover(cast, **changes)
    assert premiums.issue_month(DECEMBER) == 0


def test_a_premium_that_the_subsidy_covers_whole_is_issued_and_owes_nothing(cast):
    cover(cast, premium_cents=25000)
    premiums.issue_month(DECEMBER)
    assert (Bill.objects.get().amount_cents, Bill.objects.get().balance_cents) == (25000, 0)


def test_a_premium_issued_late_is_due_on_that_day_and_never_past_due_on_arrival(cast):
    cover(cast)
    premiums.issue_month(dt.date(2026, 11, 1))
    assert Bill.objects.get().due_on == NOVEMBER_20


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(premium=2, parts=(50, 100), year_month=(2026, 12), days=[0, 15, 40, 40])  # both halves round up
@given(
    premium=st.integers(0, 500_000), parts=st.tuples(st.integers(0, 100), st.integers(0, 100)),
    year_month=st.tuples(st.sampled_from([2026, 2027]), st.integers(1, 12)),
    days=st.lists(st.integers(-40, 40), min_size=4, max_size=4),
)  # fmt: skip
def test_the_parts_of_any_month_sum_to_the_whole(cast, premium, parts, year_month, days):
    """FAULTS A21: held against fractions, for any start, end and ends of subsidies."""
    first = dt.date(*year_month, 1)
    last = first.replace(day=calendar.monthrange(*year_month)[1])
    month = Fraction((last - first).days + 1)
    subsidy = premium * min(parts) // 100
    charitable = min(premium - subsidy, premium * (max(parts) - min(parts)) // 100)
    start, end, subsidy_end, charitable_end = (first + dt.timedelta(days=day) for day in days)
    end = max(start, end)
    coverage = cover(
        cast, start_on=start, end_on=end, premium_cents=premium, subsidy_cents=subsidy, charitable_cents=charitable,
        subsidy_ends_on=subsidy_end, charitable_ends_on=charitable_end,
    )  # fmt: skip

    def share(cents: int, until: dt.date) -> int:
        held = max(0, (min(until, last) - max(start, first)).days + 1)
        return int(cents * held / month + Fraction(1, 2))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT g.gross_cents, s.subsidy_cents, h.charitable_cents FROM accounts_coverage c"
            " CROSS JOIN (SELECT %s::date AS first, %s::date AS last, %s::bigint AS days) m"
            f" {premiums.MONTH_AMOUNTS} WHERE c.id = %s",
            [first, last, int(month), coverage.pk],
        )
        gross, aided, supported = cursor.fetchone()
    assert gross == share(premium, end)
    assert aided == min(gross, share(subsidy, min(end, subsidy_end)))
    assert supported == min(gross - aided, share(charitable, min(end, charitable_end)))
    assert gross - aided - supported >= 0


def test_months_ahead_are_issued_for_one_coverage_alone(cast):
    coverage, _other = cover(cast), cover(cast)
    bills = premiums.issue_ahead(coverage, through=dt.date(2027, 2, 14))
    assert [bill.period for bill in bills] == [dt.date(2026, 11, 1), DECEMBER, dt.date(2027, 1, 1), dt.date(2027, 2, 1)]
    assert [bill.balance_cents for bill in bills] == [53076] * 4
    assert premiums.issue_ahead(coverage, through=dt.date(2027, 2, 1)) == bills
    assert Bill.objects.count() == 4
    assert premiums.issue_month(DECEMBER) == 1


@pytest.mark.parametrize("through", [dt.date(2027, 12, 1), dt.date(2024, 10, 31), dt.date(2062, 1, 1)])
def test_more_than_a_year_ahead_is_refused(cast, through):
    coverage = cover(cast)
    with pytest.raises(premiums.MonthOutOfRange):
        premiums.issue_ahead(coverage, through=through)
    with pytest.raises(premiums.MonthOutOfRange):
        premiums.issue_month(through)
    assert Bill.objects.count() == 0


def test_the_next_months_premiums_are_out_from_the_tenth():
    assert premiums.months_due(dt.date(2026, 12, 9)) == [DECEMBER]
    assert premiums.months_due(dt.date(2026, 12, 10)) == [DECEMBER, dt.date(2027, 1, 1)]


def test_the_command_issues_and_says_how_many(cast, capsys):
    cover(cast)
    call_command("issue_premiums", month="2026-12")
    assert "1 premiums issued, 0 corrected, 1 coverages in force" in capsys.readouterr().out


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "12-2026", "", "２０２６-12", "2026-12-01", "2099-01"])
def test_the_command_refuses_a_bad_month(db, month):
    with pytest.raises(CommandError, match="--month"):
        call_command("issue_premiums", month=month)


def test_the_task_issues_what_is_due(cast):
    from bills.tasks import issue_premiums

    cover(cast)
    issue_premiums()
    issue_premiums()
    assert sorted(Bill.objects.values_list("period", flat=True)) == [dt.date(2026, 11, 1), DECEMBER]
