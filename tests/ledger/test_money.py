"""Dollars to cents and back: one strict grammar, exact arithmetic (FAULTS I01 to I04, I10, A21)."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import MAX_CENTS, InvalidAmount, cents_of, format_usd, parse_usd, split

cents = st.integers(0, MAX_CENTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1,234.50", 123_450), ("1234.50", 123_450), ("12", 1_200), ("0.01", 1), ("9,999,999.99", MAX_CENTS), ("0", 0)],
)
def test_it_reads_dollars_and_cents(text: str, expected: int) -> None:
    """FAULTS I03: the stated forms pass. That an amount to pay is above 0 its form checks (I01)."""
    assert parse_usd(text) == expected


HOSTILE = {
    "I01": ["-0", "-5", "+5", "-0.01", "- 5", "−5", "(12.00)"],
    "I02": ["NaN", "sNaN", "Infinity", "-inf", "1e5", "1E-2", "0x10", "1_000", "0b1", "١٢٣"],
    "I03": ["12.345", "12.3", ".5", "5.", "1.000,00", "1,00", "10,00.00", "1,2345.00", ",123", "1,234,56", "", " ",
            "$5.00"],
    "I04": ["１２", "٣.٠٠", "1\u00a0000", "1\u200b2", "\u200f12", "12\u202e", " 12", "12 ", "12\n",
            "12.00\n", "\u00bd", "²"],
    "above": ["10,000,000.00", "9999999999", "10000000", "9" * 5000],
}  # fmt: skip


@pytest.mark.parametrize("text", [text for texts in HOSTILE.values() for text in texts])
def test_it_refuses_every_other_form(text: str) -> None:
    """FAULTS I01, I02, I03, I04."""
    with pytest.raises(InvalidAmount):
        parse_usd(text)


@pytest.mark.parametrize("value", [None, 12, 12.5, True, ["1.00"], b"1.00", Decimal("1.00")])
def test_it_refuses_what_is_not_text(value: object) -> None:
    """FAULTS I06: one stated reading."""
    with pytest.raises(InvalidAmount):
        parse_usd(value)  # type: ignore[arg-type]


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    """FAULTS I02, I04: an amount or InvalidAmount, and an amount only from ASCII digits, commas and a point."""
    try:
        amount = parse_usd(text)
    except InvalidAmount:
        return
    assert 0 <= amount <= MAX_CENTS
    assert set(text) <= set("0123456789,.")


@given(cents)
def test_what_it_shows_it_reads(amount: int) -> None:
    """FAULTS I10: round trip."""
    assert parse_usd(format_usd(amount)[1:]) == amount


@given(st.integers(-MAX_CENTS, MAX_CENTS))
def test_a_dollar_amount_of_another_system_is_exact(amount: int) -> None:
    """FAULTS I10: through Decimal, text and the float that it is written as."""
    exact = Decimal(amount) / 100
    assert cents_of(exact) == cents_of(str(exact)) == cents_of(float(exact)) == amount


@given(st.decimals(-99_999, 99_999, places=5))
def test_another_system_s_fractions_round_half_up(amount: Decimal) -> None:
    """RULES 9.2."""
    assert cents_of(amount) == int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize("amount", ["NaN", float("nan"), float("inf"), "x", "", "10000000", Decimal("sNaN"), "1e400"])
def test_it_refuses_what_another_system_must_not_send(amount: object) -> None:
    """FAULTS J10."""
    with pytest.raises(InvalidAmount):
        cents_of(amount)  # type: ignore[arg-type]


@given(cents, st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(sum))
def test_a_split_sums_to_the_whole(total: int, weights: list[int]) -> None:
    """FAULTS A21, I10: to the cent, each within a cent of its share, nothing to a weight of nothing."""
    shares = split(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(Decimal(share) - Decimal(total) * weight / sum(weights)) < 1
        assert weight or not share


@pytest.mark.parametrize("payees", [3, 7, 11])
def test_a_hundred_dollars_split_evenly(payees: int) -> None:
    """FAULTS A21: the first ones carry the rest, always."""
    shares = split(10_000, [1] * payees)
    assert sum(shares) == 10_000
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


@given(cents, st.integers(1, 60))
def test_paying_and_refunding_a_split_leaves_nothing(total: int, parts: int) -> None:
    """FAULTS I10: refund every share, and the whole came back."""
    left = total
    for share in split(total, [1] * parts):
        left -= share
    assert left == 0


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, [-1, 2]), (1, []), (1, [0, 0])])
def test_a_split_needs_something_to_share_and_somebody_to_take_it(total: int, weights: list[int]) -> None:
    """It refuses the rest."""
    with pytest.raises(ValueError, match="split needs"):
        split(total, weights)
