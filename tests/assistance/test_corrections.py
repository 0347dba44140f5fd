"""A bill is corrected after its award: what was given follows, to the cent, and so does what the member had paid."""

import datetime as dt
from itertools import count

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Member
from assistance import awarding, correcting
from assistance.models import Award, AwardedBill
from bills import issuing
from bills.models import Bill
from ledger import checks
from tests.accounts.private import private_side_of
from tests.assistance.asking import approved
from tests.conftest import Cast
from tests.factories import make_bill, make_payment

KEYS = count()
WHOLE, THREE_QUARTERS, HALF = 1_000_00, 47_880_00 // 12, 63_840_00 // 12  # monthly incomes and what they take off


def owed(bill: Bill) -> int:
    return Bill.objects.select_related("receivable").get(pk=bill.pk).balance_cents


def credit(cast: Cast) -> int:
    assert cast.household.credit is not None
    cast.household.credit.refresh_from_db()
    return -cast.household.credit.balance_cents


def correct(bill: Bill, by_cents: int) -> None:
    """As a corrected claim does it."""
    bill.receivable.refresh_from_db()
    issuing.correct(bill, by_cents=by_cents, key=f"c{next(KEYS)}", on=timezone.localdate(), reason="Corrected.")


@pytest.mark.parametrize(
    ("income", "paid", "steps", "left", "given", "back"),
    [
        (WHOLE, 0, [5_000], 0, 15_000, 0),  # all of what is raised is taken off too
        (THREE_QUARTERS, 0, [5_000], 3_750, 11_250, 0),
        (THREE_QUARTERS, 2_500, [5_000], 1_250, 11_250, 0),
        (THREE_QUARTERS, 2_500, [5_000, -5_000], 0, 7_500, 0),
        (THREE_QUARTERS, 0, [-4_000], 1_500, 4_500, 0),  # lowering took all of it from the plan, which is too much
        (THREE_QUARTERS, 2_500, [-4_000], 0, 4_500, 1_000),  # a quarter of 60 is the member's, and 10 too much
        (HALF, 5_000, [-10_000], 0, 0, 5_000),
    ],
)
def test_an_award_follows_what_is_charged(cast, income, paid, steps, left, given, back) -> None:
    """A bill of $100; what is left to pay, given, and credit are as if it had been billed so at first."""
    bill = make_bill(cast.alice, amount_cents=10_000)
    approved(cast.alice, cast.dana, income_cents=income)
    if paid:
        make_payment({bill: paid}, payer=cast.alice.user)
    for step in steps:
        correct(bill, step)
        correcting.run(timezone.localdate())
        assert correcting.run(timezone.localdate()) == 0
    assert (owed(bill), AwardedBill.objects.get().amount_cents, credit(cast)) == (left, given, back)
    assert checks.run(checks.RULES, deep=True) == []


def test_what_is_given_late_of_a_raised_bill_that_was_paid_goes_back(cast) -> None:
    """Paid whole between the correction and the award's following it: the excess is credit, to be sent back."""
    bill = make_bill(cast.alice, amount_cents=10_000)
    approved(cast.alice, cast.dana, income_cents=WHOLE)
    correct(bill, 5_000)
    make_payment({bill: 5_000}, payer=cast.alice.user)
    assert correcting.run(timezone.localdate()) == 1
    row = AwardedBill.objects.get()
    assert (owed(bill), credit(cast), row.returned_cents, row.refunded_cents) == (0, 5_000, 5_000, None)


def test_an_award_that_is_over_still_follows_and_one_that_was_ended_gives_no_more(cast) -> None:
    over, ended = make_bill(cast.alice, amount_cents=10_000), make_bill(cast.charlie, amount_cents=10_000)
    award = approved(cast.alice, cast.dana, income_cents=WHOLE).awards.get()
    revoked = approved(cast.charlie, cast.dana, income_cents=WHOLE).awards.get()
    awarding.revoke(revoked, by=cast.dana, reason="Another plan pays.")
    for bill in (over, ended):
        correct(bill, 5_000)
    assert correcting.run(award.end_on + dt.timedelta(days=30)) == 1
    assert (owed(over), owed(ended)) == (0, 5_000)


def test_it_follows_a_bill_of_somebody_who_is_apart_by_now_and_none_that_became_their_own(cast) -> None:
    """Who asks for confidentiality keeps what they were given; the private side is of no award (decision 2221)."""
    bills = [make_bill(cast.bob, amount_cents=10_000) for _ in range(2)]
    own = make_bill(cast.bob, amount_cents=10_000)
    approved(cast.alice, cast.dana, income_cents=THREE_QUARTERS)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    Bill.objects.filter(pk=own.pk).update(member=private_side_of(cast.bob))
    for bill, by_cents in zip((*bills, own), (5_000, -4_000, 5_000), strict=True):
        correct(bill, by_cents)
    assert correcting.run(timezone.localdate()) == 2
    assert [owed(bill) for bill in (*bills, own)] == [3_750, 1_500, 7_500]


def test_two_awards_of_one_bill_follow_by_the_greater(cast) -> None:
    bill = make_bill(cast.alice, amount_cents=10_000)
    for income in (HALF, THREE_QUARTERS):
        approved(cast.alice, cast.dana, income_cents=income)
    assert owed(bill) == 2_500
    for step, left in ((2_000, 3_000), (-8_000, 1_000)):
        correct(bill, step)
        correcting.run(timezone.localdate())
        assert owed(bill) == left
    assert sum(AwardedBill.objects.values_list("amount_cents", flat=True)) == 3_000
    assert Award.objects.count() == 2


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paid=st.integers(0, 10_000), steps=st.lists(st.integers(-10_000, 20_000), min_size=1, max_size=4))
def test_whatever_the_steps_nobody_pays_for_more_than_is_charged(cast, paid, steps) -> None:
    """Of what is charged three quarters are given, but for what had been paid before and is under the floor."""
    bill = make_bill(cast.charlie, amount_cents=10_000)
    if paid:
        make_payment({bill: paid}, payer=cast.charlie.user)
    approved(cast.charlie, cast.dana, income_cents=THREE_QUARTERS)
    charged = 10_000
    for step in steps:
        by_cents = max(step, -charged)
        charged += by_cents
        correct(bill, by_cents)
        correcting.run(timezone.localdate())
        given = AwardedBill.objects.get(bill=bill).amount_cents
        assert 0 <= owed(bill) <= charged - given
        assert charged * 3 // 4 - 500 <= given <= (charged * 75 + 50) // 100
