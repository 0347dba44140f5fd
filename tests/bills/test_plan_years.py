"""The plan year's page: from the claims, by person and family, and nothing of whom the viewer may not see."""

import datetime as dt

from django.test import Client
from django.utils import timezone

from accounts.models import Member
from accounts.visibility import Scope, scope_of
from bills import check_facts, claims, plan_years
from bills.checking import Maximum
from bills.models import Claim
from payments import overview
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate

YEAR = timezone.localdate().year
TODAY = dt.date(YEAR, 12, 31)


def make_claim(member: Member, month: int, *, deductible: int = 0, copay: int = 0, **fields: object) -> Claim:
    """A claim of the 5th of a month."""
    claim = Claim.objects.create(
        **{
            "number": f"Y{Claim.objects.count()}", "member": member, "household": member.household,
            "kind": "professional", "service_on": dt.date(YEAR, month, 5), "deductible_cents": deductible,
            "copay_cents": copay, "member_owes_cents": deductible + copay, "source": "test",
            "source_id": f"y{Claim.objects.count()}", "source_version": "1", **fields,
        }
    )  # fmt: skip
    if claim.status == "active":
        claims.accumulate([claims.counted(claim)])
    return claim


def scope_for(member: Member) -> Scope:
    """What a member may see."""
    assert member.user is not None
    return scope_of(member.user)


def page_of(member: Member, query: str = "") -> str:
    """The page as a member reads it."""
    client = Client()
    assert member.user is not None
    client.force_login(member.user, "accounts.backends.AuthenticationBackend")
    answer = client.get(f"/claims/year/{query}")
    assert answer.status_code == 200
    return answer.content.decode().partition("<main")[2].partition("</main>")[0]


def test_months_add_up_to_the_year_by_person_and_by_family(cast: Cast) -> None:
    make_coverage(cast.alice, cast.bob, cast.maya)
    make_claim(cast.alice, 1, deductible=10_000)
    make_claim(cast.alice, 3, deductible=5_000, copay=2_000)
    make_claim(cast.maya, 3, copay=3_000)
    make_claim(cast.maya, 4, copay=9_900, status="replaced")
    make_claim(cast.maya, 4, copay=9_900, status="open")
    [year] = plan_years.of(scope_for(cast.alice), YEAR, today=TODAY)
    assert year.family is not None
    assert [month.so_far_cents for month in year.family.months][:4] == [10_000, 10_000, 20_000, 20_000]
    assert [(limit.used_cents, limit.limit_cents) for limit in year.family.limits] == [
        (15_000, 500_000),
        (20_000, 1_740_000),
    ]
    assert [person.title for person in year.people] == ["Alice Rivera", "Bob Rivera", "Maya Rivera"]
    assert [person.months[-1].so_far_cents for person in year.people] == [17_000, 0, 3_000]
    page = page_of(cast.alice)
    assert "$170.00" in page and "$200.00" in page and page.count('<svg class="chart"') == 3


def test_of_one_person_no_more_counts_for_the_family_than_their_own_limit() -> None:
    """The embedded rule: $8,700 a person, whatever they paid."""
    own = (250_000, 870_000)
    family = plan_years.embedded([{1: (300_000, 900_000), 2: (0, 10_000)}, {2: (50_000, 50_000)}], own)
    assert (family[1], family[2]) == ((250_000, 870_000), (50_000, 50_000))
    assert plan_years.total(family) == (300_000, 920_000)


def test_the_overview_counts_as_the_page_of_the_year_does(cast: Cast) -> None:
    """Alice is over her own limit: of hers no more than that counts for the family, on either page."""
    make_coverage(cast.alice, cast.bob, cast.maya)
    make_claim(cast.alice, 1, deductible=300_000, copay=600_000)
    make_claim(cast.maya, 2, deductible=50_000)
    told = told_by_the_overview(cast.alice)
    assert told["family"] == [("deductible", 300_000), ("out_of_pocket", 920_000)]
    assert told == told_by_the_year(cast.alice)


def test_after_a_change_of_plan_each_coverages_own_days_count(cast: Cast) -> None:
    """And no bill is flagged for what counted under the plan before."""
    make_coverage(cast.alice, plan_name="Bronze 60", end_on=dt.date(YEAR, 6, 14))
    make_coverage(cast.alice, cast.bob, start_on=dt.date(YEAR, 6, 15))
    service_on = dt.date(YEAR, 6, 15)
    make_claim(cast.alice, 6, deductible=860_000, service_on=dt.date(YEAR, 6, 14))
    bill = make_bill(cast.alice, amount_cents=20_000, service_on=service_on)
    make_claim(cast.alice, 6, deductible=20_000, bill=bill, service_on=service_on, processed_on=service_on)
    make_claim(cast.bob, 7, copay=3_000)
    before, after = plan_years.of(scope_for(cast.alice), YEAR, today=TODAY)
    assert [limit.used_cents for limit in before.people[0].limits] == [250_000, 860_000]
    assert before.people[0].months[5].so_far_cents == 860_000
    assert [limit.used_cents for limit in after.people[0].limits] == [20_000, 20_000]
    told = told_by_the_overview(cast.alice)
    assert told["family"] == [("deductible", 20_000), ("out_of_pocket", 23_000)]
    assert told == told_by_the_year(cast.alice)
    for scope in (None, scope_for(cast.alice)):
        assert check_facts.gather(bill, scope=scope).maximums == []
    make_claim(cast.alice, 8, deductible=860_000)
    for scope in (None, scope_for(cast.alice)):
        assert check_facts.gather(bill, scope=scope).maximums == [Maximum(870_000, 0, 20_000)]


def told_by_the_overview(member: Member) -> dict[str, list[tuple[str, int]]]:
    """How far each limit is used up under the coverage of today, of the member and of the family."""
    scope = scope_for(member)
    found = overview.plan_year(scope, overview.coverages_seen(scope, today=TODAY), today=TODAY)
    assert found is not None
    return {
        "own": [(limit.name, limit.used_cents) for limit in found.own],
        "family": [(limit.name, limit.used_cents) for limit in found.family],
    }


def told_by_the_year(member: Member) -> dict[str, list[tuple[str, int]]]:
    """The same from the page of the year."""
    year = plan_years.of(scope_for(member), YEAR, today=TODAY)[-1]
    assert year.family is not None
    [own] = [person for person in year.people if person.title == member.full_name]
    return {
        "own": [(limit.name, limit.used_cents) for limit in own.limits],
        "family": [(limit.name, limit.used_cents) for limit in year.family.limits],
    }


def test_a_family_limit_that_is_reached_is_reached_for_everyone(cast: Cast) -> None:
    make_coverage(cast.alice, cast.bob, cast.maya)
    for member in (cast.alice, cast.bob):
        make_claim(member, 2, deductible=250_000)
    [year] = plan_years.of(scope_for(cast.alice), YEAR, today=TODAY)
    maya = next(person for person in year.people if person.title == "Maya Rivera")
    assert [(limit.name, limit.used_cents, limit.is_met) for limit in maya.limits] == [
        ("deductible", 0, True), ("out_of_pocket", 0, False),
    ]  # fmt: skip


def test_no_step_of_a_confidential_member_reaches_the_holder(cast: Cast) -> None:
    """FAULTS F06: no person, no month, no sum, no limit that is met by them; and to the member it is all there."""
    make_coverage(cast.alice, cast.bob, cast.maya)
    make_claim(cast.alice, 1, deductible=250_000)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    without = plan_years.of(scope_for(cast.alice), YEAR, today=TODAY), page_of(cast.alice)
    make_claim(cast.bob, 5, deductible=250_000)
    assert (plan_years.of(scope_for(cast.alice), YEAR, today=TODAY), page_of(cast.alice)) == without
    assert "Bob" not in without[1]
    [own] = plan_years.of(scope_for(cast.bob), YEAR, today=TODAY)
    assert (own.family, [person.title for person in own.people]) == (None, ["Bob Rivera"])
    assert own.people[0].months[4].so_far_cents == 250_000


def test_a_pay_only_delegate_and_a_stranger_see_no_year(cast: Cast) -> None:
    make_coverage(cast.bob)
    make_claim(cast.bob, 2, copay=7_700)
    for user in (make_delegate(cast.bob, "payer@example.com", "pay_only"), cast.charlie.user):
        client = Client()
        assert user is not None
        client.force_login(user, "accounts.backends.AuthenticationBackend")
        page = client.get("/claims/year/").content.decode()
        assert "No yearly limits to show" in page and "$77" not in page
    viewer = make_delegate(cast.bob, "viewer@example.com", "view")
    assert [person.title for year in plan_years.of(scope_of(viewer), YEAR, today=TODAY) for person in year.people] == [
        "Bob Rivera"
    ]


def test_an_earlier_year_is_shown_where_there_is_something_of_it(cast: Cast) -> None:
    make_coverage(cast.alice, start_on=dt.date(YEAR - 2, 1, 1))
    make_claim(cast.alice, 2, copay=4_200, service_on=dt.date(YEAR - 1, 7, 1))
    assert plan_years.years_seen(scope_for(cast.alice), today=TODAY) == [YEAR, YEAR - 1]
    assert "$42.00" in page_of(cast.alice, f"?year={YEAR - 1}")
    for query in ("", f"?year={YEAR - 2}", "?year=x", "?year=%00"):
        assert "$42.00" not in page_of(cast.alice, query)
