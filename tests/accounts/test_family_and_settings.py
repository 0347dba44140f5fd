"""The family page and the settings: what each person sees there, and what the holder alone may set."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone

import ledger
from accounts import ages, families
from accounts.models import Coverage, Delegate, Household, Member, Plan
from accounts.visibility import scope_of
from activity.models import Access, Event
from bills import issuing
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from tests.conftest import Cast

ISSUED, DUE = dt.date(2026, 10, 1), dt.date(2026, 11, 1)


@pytest.fixture
def owed(cast: Cast) -> None:
    """Alice owes $100.00 and has paid $25.00 of it, Bob owes $40.00, Maya $7.00; $3.00 of Alice's came back."""
    for member, cents in ((cast.alice, 10_000), (cast.bob, 4_000), (cast.maya, 700), (cast.charlie, 99_900)):
        bill = issuing.issue(
            member=member, kind="medical", amount_cents=cents, title="Visit", issued_on=ISSUED, due_on=DUE,
            source="test", source_id=member.number,
        )  # fmt: skip
        if member == cast.alice:
            move(bill, 2_500, Code.PAYMENT, "payment:PAY-1")
            move(bill, 300, Code.REFUND, "refund:1 of payment:PAY-1")
        if member == cast.bob:
            move(bill, 1_000, Code.PAYMENT, "payment:PAY-2")


def move(bill: Any, cents: int, code: Code, reference: str) -> None:
    clearing = system_id(SystemAccount.STRIPE_CLEARING)
    sides = (clearing, bill.receivable_id) if code == Code.PAYMENT else (bill.receivable_id, clearing)
    ledger.post(
        Posting(
            debit_id=sides[0],
            credit_id=sides[1],
            amount_cents=cents,
            code=code,
            key=reference,
            reference=reference,
            effective_on=ISSUED,
            owner_id=bill.household_id,
        )  # fmt: skip
    )


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def figures(client: Client, query: str = "") -> tuple[dict[str, int], list[int]]:
    """What the page says each owes, and the payments it lists, US cents."""
    context = client.get(f"/family/{query}").context
    return {p.member.first_name: p.total_cents for p in context["people"]}, [
        p.amount_cents for p in context["payments"]
    ]


@pytest.mark.usefixtures("owed")
def test_the_holder_sees_what_each_owes_and_what_was_paid_for_whom(cast: Cast) -> None:
    owes, paid = figures(signed_in(cast.alice))
    assert owes == {"Alice": 7_800, "Bob": 3_000, "Maya": 700}
    assert sorted(paid) == [-300, 1_000, 2_500]


@pytest.mark.usefixtures("owed")
def test_payments_are_shown_by_person(cast: Cast) -> None:
    assert figures(signed_in(cast.alice), f"?person={cast.bob.pk}")[1] == [1_000]
    assert figures(signed_in(cast.alice), f"?person={cast.maya.pk}")[1] == []


@pytest.mark.usefixtures("owed")
def test_an_adult_dependant_sees_his_own_alone(cast: Cast) -> None:
    client = signed_in(cast.bob)
    assert figures(client) == ({"Bob": 3_000}, [1_000])
    assert client.get(f"/family/?person={cast.alice.pk}").status_code == 404
    assert client.get(f"/family/?person={cast.charlie.pk}").status_code == 404


@pytest.mark.usefixtures("owed")
def test_a_confidential_member_does_not_appear(cast: Cast) -> None:
    """F06: no name, no amount, no share of the sum."""
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    client = signed_in(cast.alice)
    assert figures(client) == ({"Alice": 7_800, "Maya": 700}, [2_500, -300][::-1])
    page = client.get("/family/")
    assert b"Bob" not in page.content
    assert page.context["total_cents"] == 8_500
    assert (
        client.get(f"/family/?person={cast.bob.pk}").status_code == client.get("/family/?person=0").status_code == 404
    )


@pytest.mark.usefixtures("owed")
def test_no_address_carries_a_members_number(cast: Cast) -> None:
    """M10: it is one of the facts that prove to be a member."""
    assert b"M-BOB" not in signed_in(cast.alice).get("/family/").content


@pytest.mark.usefixtures("owed")
@pytest.mark.parametrize("page", ["/family/", "/overview/"])
def test_a_delegates_look_at_what_a_member_owes_is_recorded(cast: Cast, page: str) -> None:
    """N01: with the address that is told past the trusted proxy, and also where no bill of the member is shown."""
    Delegate.objects.create(member=cast.maya, user=cast.charlie.user, grant="pay_only")
    Bill.objects.filter(member=cast.maya).update(household=cast.strangers)
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
        assert signed_in(cast.charlie).get(page, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200
    look = Access.objects.get()
    assert (look.user, look.member_id, look.address) == (cast.charlie.user, cast.maya.pk, "203.0.113.9")


@pytest.mark.usefixtures("owed")
def test_a_pay_only_delegate_sees_no_age_and_no_relationship(cast: Cast) -> None:
    Delegate.objects.create(member=cast.maya, user=cast.charlie.user, grant="pay_only")
    assert signed_in(cast.charlie).get("/family/").content.count(b"years old") == 1  # his own
    Delegate.objects.update(grant="view")
    assert signed_in(cast.charlie).get("/family/").content.count(b"years old") == 2


def test_coverage_is_shown_of_whom_it_covers_today(cast: Cast) -> None:
    plan = Plan.objects.create(name="Silver 70", year=2026)
    coverage = Coverage.objects.create(
        plan=plan, kind="family", household=cast.household, subscriber=cast.alice, start_on=dt.date(2026, 1, 1)
    )
    coverage.members.add(cast.alice, cast.bob)
    seen = families.people(scope_of(cast.bob.user), today=dt.date(2026, 11, 24))
    assert [person.coverages for person in seen] == [[coverage]]
    Coverage.objects.update(end_on=dt.date(2026, 6, 30))
    seen = families.people(scope_of(cast.alice.user), today=dt.date(2026, 11, 24))
    assert not any(person.coverages for person in seen)


@pytest.mark.parametrize(
    ("born", "years"), [(dt.date(2004, 2, 29), 22), (dt.date(2004, 11, 24), 22), (dt.date(2004, 11, 25), 21)]
)
def test_ages_count_full_years(born: dt.date, years: int) -> None:
    assert ages.age_on(born, dt.date(2026, 11, 24)) == years


@pytest.mark.usefixtures("owed")
def test_the_page_asks_as_many_questions_for_a_large_family(cast: Cast, django_assert_max_num_queries: Any) -> None:
    """O05."""
    scope = scope_of(cast.alice.user)
    with django_assert_max_num_queries(4):
        assert families.payments(families.people(scope, today=ISSUED))


def test_the_holder_chooses_paperless_statements(cast: Cast) -> None:
    client = signed_in(cast.alice)
    client.post("/settings/", {"household": "4410-2297", "is_paperless": "on"})
    assert Household.objects.get(number="4410-2297").is_paperless
    assert Event.objects.get(kind="household.paperless").to_status == "paperless"
    client.post("/settings/", {"household": "4410-2297", "is_paperless": "on"})
    assert Event.objects.filter(kind="household.paperless").count() == 1
    client.post("/settings/", {"household": "4410-2297"})
    assert not Household.objects.get(number="4410-2297").is_paperless


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_else_chooses_for_the_household(cast: Cast, who: str) -> None:
    """F04: not a dependant, not a stranger; the same answer as for a household that does not exist."""
    client = signed_in(getattr(cast, who))
    assert b"Paperless" in client.get("/settings/").content or who == "bob"
    answers = [
        client.post("/settings/", {"household": number, "is_paperless": "on", "is_staff": "1", "language": "es"})
        for number in ("4410-2297", "0000-0000", "a\0b")
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({len(answer.content) for answer in answers}) == 1
    assert not Household.objects.filter(is_paperless=True).exists()
