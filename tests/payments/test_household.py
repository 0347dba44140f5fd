"""What the household owes adds up to the overview, and what was paid adds up to the book."""

import datetime as dt
from collections import Counter

import pytest
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from accounts import families
from accounts.households import add_member, open_household
from accounts.models import Member
from accounts.visibility import scope_of
from bills import credit, holds, issuing
from bills.models import Bill, Hold
from ledger.chart import Code
from ledger.models import Transfer
from payments import household, overview, spending, taking_back, tax_pack
from payments.models import Dispute, Refund
from payments.states import PaymentStatus
from tests.access.conftest import prove
from tests.conftest import Cast
from tests.factories import make_bill, make_delegate, make_payment


@pytest.fixture
def owed(cast: Cast) -> None:
    """Alice owes $100, $30 on its way; Bob $50 under review and $20 paid of another; Maya $40 on a plan."""
    make_payment({make_bill(cast.alice, amount_cents=10_000): 3_000}, payer=cast.alice.user, status="processing")
    holds.begin(make_bill(cast.bob, amount_cents=5_000), cause=Hold.Cause.QUESTION)
    make_payment({make_bill(cast.bob, amount_cents=6_000): 2_000}, payer=cast.bob.user)
    planned = make_bill(cast.maya, amount_cents=4_000)
    Bill.objects.filter(pk=planned.pk).update(on_plan_since=timezone.now())
    make_bill(cast.charlie, amount_cents=99_900)


@pytest.mark.usefixtures("owed")
@pytest.mark.parametrize("who", ["alice", "bob", "charlie"])
def test_the_parts_add_up_to_the_overviews_total(cast: Cast, who: str) -> None:
    scope = scope_of(getattr(cast, who).user)
    waiting = overview.in_flight(scope)
    totals = overview.totals(overview.members_seen(scope), scope, waiting)
    accounts = household.owed(scope)
    assert sum(account.total_cents for account in accounts) == totals.total_cents
    on_its_way = sum(one.on_its_way_cents for account in accounts for one in account.whole.values())
    assert on_its_way == totals.on_its_way_cents


@pytest.mark.usefixtures("owed")
def test_each_part_stands_where_it_belongs(cast: Cast) -> None:
    [account] = household.owed(scope_of(cast.alice.user))
    whole = account.whole["medical"]
    assert (whole.to_pay_cents, whole.on_plan_cents, whole.under_review_cents, whole.on_its_way_cents) == (
        7_000 + 4_000, 4_000, 5_000, 3_000,
    )  # fmt: skip
    page = prove(Client(), cast.alice.user).get("/family/owes/").content.decode()
    assert "$200.00" in page


def test_a_shared_bill_of_who_is_apart_counts_and_nothing_else_of_theirs(cast: Cast) -> None:
    make_bill(cast.bob, amount_cents=7_000)
    shared = make_bill(cast.bob, amount_cents=1_000)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    Bill.objects.filter(pk=shared.pk).update(shared_at=timezone.now())
    [account] = household.owed(scope_of(cast.alice.user))
    assert account.total_cents == 1_000
    assert b"Bob" not in prove(Client(), cast.alice.user).get("/family/owes/").content


def test_a_pay_only_delegate_sees_amounts_and_can_pay(cast: Cast) -> None:
    make_bill(cast.bob, amount_cents=7_000, title="Cardiology")
    client = prove(Client(), make_delegate(cast.bob, "helper@example.com", "pay_only"))
    page = client.get("/family/owes/").content.decode()
    assert "$70.00" in page
    assert "Cardiology" not in page + client.get("/bills/").content.decode()


def test_several_accounts_of_one_profile_stand_side_by_side(cast: Cast) -> None:
    """Somebody who is a member of two households sees both, each with its own sum, and pays each."""
    second = open_household(number="5520-1188", state="CA", zip="94612")
    also = add_member(
        second, number="M-ALICE-2", first_name="Alice", last_name="Rivera", birth_date=dt.date(1984, 3, 9),
        is_primary_holder=True, user=cast.alice.user,
    )  # fmt: skip
    mine, other = make_bill(cast.alice, amount_cents=1_000), make_bill(also, amount_cents=2_500)
    sums = {one.household.number: one.total_cents for one in household.owed(scope_of(cast.alice.user))}
    assert sums == {"4410-2297": 1_000, "5520-1188": 2_500}
    client = prove(Client(), cast.alice.user)
    assert client.get("/overview/").context["totals"].total_cents == 3_500
    for bill in (mine, other):
        assert client.get(f"/bills/{bill.number}/").status_code == 200
        assert client.get(f"/pay/?bill={bill.number}").status_code == 200
    assert b"5520-1188" in client.get("/family/owes/").content


def test_spending_is_summed_by_person_and_year_less_what_came_back(cast: Cast) -> None:
    """Against the book and the pack of a year: credit that arose and was spent, a refund that failed, one that stands,
    and a dispute that was won."""
    today = timezone.localdate()
    lowered = make_bill(cast.alice, amount_cents=7_500)
    make_payment({lowered: 7_500}, payer=cast.alice.user)
    issuing.correct(lowered, by_cents=-4_600, key="lowered", on=today, reason="x")
    scope = scope_of(cast.alice.user)
    assert {one.total_cents for one in spending.by_year(overview.members_seen(scope), today=today)} == {2_900}
    make_bill(cast.maya, amount_cents=5_000)
    assert credit.apply(cast.household, on=today, actor="test") == 4_600
    kept, returned, won = (make_payment({make_bill(cast.bob): 700}, payer=cast.alice.user) for _each in range(3))
    for payment, status in ((kept, "failed"), (returned, "succeeded")):
        refund = Refund.objects.create(payment=payment, amount_cents=700, reason="test", status="succeeded")
        taking_back.post(taking_back.of_refund(refund, on=today))
        if status == "failed":
            taking_back.undo(taking_back.of_refund(refund, on=today))
            Refund.objects.filter(pk=refund.pk).update(status=status)
    dispute = Dispute.objects.create(
        payment=won, stripe_dispute_id="dp_1", status="won", amount_cents=700, booked_cents=700, booked_as=1
    )
    taking_back.post(taking_back.of_dispute(dispute, on=today))
    taking_back.undo(taking_back.of_dispute(dispute, on=today))
    make_payment({make_bill(cast.alice): 1_500}, payer=cast.alice.user, on=today.replace(year=today.year - 1))
    make_payment({make_bill(cast.charlie): 900}, payer=cast.charlie.user)
    members = overview.members_seen(scope)
    found = {(one.member.first_name, one.year): one.total_cents for one in spending.by_year(members, today=today)}
    assert found == {
        ("Alice", today.year): 2_900, ("Bob", today.year): 1_400, ("Maya", today.year): 4_600,
        ("Alice", today.year - 1): 1_500,
    }  # fmt: skip
    for (name, year), cents in found.items():
        [person] = [member for member in members if member.first_name == name]
        assert tax_pack.of(scope, year=year, person=person).paid_cents == cents
    assert sum(cents for (_name, year), cents in found.items()) == _came_in(cast) - 700  # all credit was spent
    listed = families.payments(families.people(scope, today=today))
    assert sum(paid.amount_cents for paid in listed) == sum(found.values())
    assert Counter(paid.note for paid in listed if paid.note) == {
        "moved to household credit": 1, "returned or refunded": 3, "return or refund undone": 2,
    }  # fmt: skip


def _came_in(cast: Cast) -> int:
    """What the household's payments brought into clearing, whatever became of it."""
    came = Transfer.objects.filter(owner_id=cast.household.pk, code=Code.PAYMENT)
    return int(came.aggregate(cents=Sum("amount_cents"))["cents"])


def test_the_spreadsheet_says_the_same_and_runs_no_formula(cast: Cast) -> None:
    """K01."""
    Member.objects.filter(pk=cast.alice.pk).update(first_name="=1+1")
    make_payment({make_bill(cast.alice): 2_000}, payer=cast.alice.user, status=PaymentStatus.SUCCEEDED)
    client = prove(Client(), cast.alice.user)
    assert client.get("/family/spending/").status_code == 200
    answer = client.get("/family/spending/export/")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert '"\'=1+1 Rivera"' in text
    assert '"20.00"' in text
