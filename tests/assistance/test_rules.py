"""Guidelines, bands and their edges, high medical expense, and to the cent."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistance import rules
from assistance.models import PovertyGuideline
from assistance.rules import award_cents

DAY = dt.date(2026, 11, 1)
# RULES 1.1, persons 1 to 8 and each more; dollars.
TABLE = {
    (2026, "CA"): [15_960, 21_640, 27_320, 33_000, 38_680, 44_360, 50_040, 55_720, 61_400],
    (2026, "AK"): [19_950, 27_050, 34_150, 41_250, 48_350, 55_450, 62_550, 69_650, 76_750],
    (2026, "HI"): [18_360, 24_890, 31_420, 37_950, 44_480, 51_010, 57_540, 64_070, 70_600],
    (2025, "CA"): [15_650, 21_150, 26_650, 32_150, 37_650, 43_150, 48_650, 54_150, 59_650],
    (2025, "AK"): [19_550, 26_430, 33_310, 40_190, 47_070, 53_950, 60_830, 67_710, 74_590],
    (2025, "HI"): [17_990, 24_320, 30_650, 36_980, 43_310, 49_640, 55_970, 62_300, 68_630],
}
ORACLE_2023 = [58_320, 78_880, 99_440, 120_000, 140_560, 161_120]  # a health plan's page: 400 %, 1 to 6 persons


@pytest.mark.parametrize(("year", "state"), TABLE)
def test_the_guidelines_are_those_of_the_federal_register(db, year, state):
    found = rules.guideline(state, dt.date(year, 11, 1))
    assert found.year == year
    assert [found.cents_for(size) for size in range(1, 10)] == [dollars * 100 for dollars in TABLE[year, state]]


def test_the_form_of_the_guidelines_gives_a_published_table():
    of_2023 = PovertyGuideline(year=2023, region="48", first_cents=14_580_00, each_more_cents=5_140_00)
    assert [4 * of_2023.cents_for(size) for size in range(1, 7)] == [dollars * 100 for dollars in ORACLE_2023]


@pytest.mark.parametrize(
    ("day", "year"),
    [(dt.date(2026, 1, 12), 2025), (dt.date(2026, 1, 13), 2026), (dt.date(2027, 1, 2), 2026), (DAY, 2026)],
)
def test_a_guideline_holds_from_its_day_until_the_next(db, day, year):
    assert rules.guideline("CA", day).year == year


def test_without_a_rule_nothing_is_guessed(db):
    with pytest.raises(rules.RuleMissing):
        rules.guideline("CA", dt.date(2024, 1, 1))
    with pytest.raises(rules.RuleMissing):
        rules.policy("CA", dt.date(2024, 1, 1))


@pytest.mark.parametrize(
    ("state", "bands"),
    [
        ("CA", [(200, 100, 75), (300, 75, 50), (400, 50, 0)]),
        ("OR", [(200, 100, 75), (300, 75, 50), (350, 50, 25), (400, 25, 0)]),
        ("CO", [(250, 100, 75), (300, 75, 0)]),
        ("MD", [(200, 100, 75), (300, 75, 55), (400, 55, 35), (500, 35, 0)]),
        ("GA", [(200, 100, 75), (400, 25, 0)]),
    ],
)
def test_a_band_includes_its_top_and_ends_a_cent_above(db, state, bands):
    line = rules.guideline(state, DAY).cents_for(3)
    for up_to, award, above in bands:
        edge = line * up_to // 100
        assert rules.find(state=state, size=3, income_cents=edge, on=DAY).award_pct == award
        assert rules.find(state=state, size=3, income_cents=edge + 1, on=DAY).award_pct == above


def test_high_medical_expense_helps_at_any_income(db):
    rich = {"state": "CA", "size": 1, "income_cents": 300_000_00, "on": DAY}
    assert rules.find(**rich).award_pct == 0
    assert rules.find(**rich, expense_cents=29_999_99).award_pct == 0
    found = rules.find(**rich, expense_cents=30_000_00)
    assert (found.award_pct, found.basis) == (50, "expense")


def test_the_greater_help_counts(db):
    found = rules.find(state="OR", size=1, income_cents=62_000_00, expense_cents=7_000_00, on=DAY)  # 388 %: 25
    assert (found.award_pct, found.basis) == (50, "expense")
    found = rules.find(state="OR", size=1, income_cents=20_000_00, expense_cents=7_000_00, on=DAY)
    assert (found.award_pct, found.basis) == (100, "income")


def test_no_income_at_all_is_the_lowest_band(db):
    assert rules.find(state="CA", size=1, income_cents=0, on=DAY).award_pct == 100


@pytest.mark.parametrize(
    ("age", "percent", "day", "years"),
    [
        (20, 300, DAY, None), (21, 300, DAY, 3), (64, 100, DAY, 3), (30, 301, DAY, "none"),
        (18, 270, dt.date(2025, 6, 1), None), (18, 266, dt.date(2025, 6, 1), "none"),
        (19, 139, dt.date(2025, 6, 1), None), (19, 138, dt.date(2025, 6, 1), "none"),
    ],
)  # fmt: skip
def test_charitable_coverage_goes_by_age_income_and_day(db, age, percent, day, years):
    line = rules.guideline("CA", day).cents_for(1)
    rule = rules.charitable_rule(state="CA", age=age, size=1, income_cents=line * percent // 100, on=day)
    assert (rule.years_at_most if rule else "none") == years
    assert rules.charitable_rule(state="OR", age=age, size=1, income_cents=0, on=day) is None


@given(st.integers(0, 10**11), st.integers(1, 100))
def test_what_is_taken_off_and_what_is_left_are_the_whole(cents, percent):
    off = award_cents(cents, percent)
    assert 0 <= off <= cents
    assert abs(off * 100 - cents * percent) <= 50
    assert award_cents(cents, 100) == cents
