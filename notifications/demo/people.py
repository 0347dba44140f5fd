"""The demo's people, their sign-ins, and what covers them. Everything is made once, and found again afterwards."""

import datetime as dt
from dataclasses import dataclass

from allauth.account.models import EmailAddress

from accounts.ages import ADULT_AT, latest_birth
from accounts.households import add_member, open_household
from accounts.models import Coverage, Household, Member, Plan, User

COMES_OF_AGE_IN = dt.timedelta(days=21)
PASSWORD = "meridian-demo"  # noqa: S105  # the demo's, and refused in production


@dataclass(frozen=True, slots=True)
class People:
    """Alice the primary holder, Bob her adult dependant, Maya her child; Charlie and Elena of others; Dana of staff."""

    alice: Member
    bob: Member
    maya: Member
    charlie: Member
    elena: Member
    dana: User


@dataclass(frozen=True, slots=True)
class Covered:
    """The coverages that are in force."""

    family: Coverage
    medicare: Coverage
    individual: Coverage


def make() -> People:
    """The people, each with a verified address where one signs in."""
    riveras = _household("4410-2297", address="1850 Alder Street", city="Oakland", state="CA", zip="94612")
    novaks = _household("7731-0042", address="62 Harbor Lane", city="Portland", state="OR", zip="97201")
    alice = _member(riveras, "10482271", "Alice", "Rivera", dt.date(1984, 3, 9), "self", user=_user("alice"))
    bob = _member(riveras, "10482272", "Bob", "Rivera", dt.date(2004, 7, 21), "child", user=_user("bob"))
    maya = _member(riveras, "10482273", "Maya", "Rivera", dt.date(2015, 11, 2), "child", user=None)
    charlie = _member(novaks, "20771650", "Charlie", "Novak", dt.date(1957, 1, 30), "self", user=_user("charlie"))
    parks = _household("5820-1164", address="418 Mercy Street", city="Fresno", state="CA", zip="93721")
    elena = _member(parks, "31590442", "Elena", "Park", dt.date(1991, 5, 18), "self", user=_user("elena"))
    dana = _user("dana", is_staff=True, is_superuser=True)
    return People(alice, bob, maya, charlie, elena, dana)


def make_growing(riveras: Household, *, today: dt.date) -> Member:
    """Leo, Alice's other child: on her account since he was small, and 18 in three weeks (accounts.departures)."""
    born = latest_birth(ADULT_AT, today + COMES_OF_AGE_IN)
    leo = _member(riveras, "10482274", "Leo", "Rivera", born, "child", user=_user("leo"))
    Member.objects.filter(pk=leo.pk).update(joined_on=dt.date(2015, 1, 1))
    return leo


def cover(people: People, *, today: dt.date, since: dt.date) -> Covered:
    """A family plan with a tax credit for Alice's household, Medicare Advantage for Charlie, a new plan for Elena."""
    silver = _plan(
        "Family Silver 70", today.year, deductible_individual_cents=250_000, deductible_family_cents=500_000,
        out_of_pocket_individual_cents=870_000, out_of_pocket_family_cents=1_740_000,
    )  # fmt: skip
    advantage = _plan(
        "Medicare Advantage Essential", today.year, deductible_individual_cents=0, deductible_family_cents=0,
        out_of_pocket_individual_cents=670_000, out_of_pocket_family_cents=670_000,
    )  # fmt: skip
    bronze = _plan(
        "Individual Bronze 60", today.year, deductible_individual_cents=580_000, deductible_family_cents=1_160_000,
        out_of_pocket_individual_cents=900_000, out_of_pocket_family_cents=1_800_000,
    )  # fmt: skip
    return Covered(
        family=_coverage(
            "family", silver, "family", [people.alice, people.bob, people.maya], since,
            premium_cents=78_076, subsidy_cents=25_000,
        ),
        medicare=_coverage(
            "medicare", advantage, "medicare_advantage", [people.charlie], since, premium_cents=4_850, subsidy_cents=0
        ),
        individual=_coverage(
            "individual", bronze, "individual", [people.elena], today.replace(day=1), premium_cents=41_240,
            subsidy_cents=0,
        ),
    )  # fmt: skip


def _user(name: str, **fields: bool) -> User:
    email = f"{name}@example.com"
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, PASSWORD, **fields)
    EmailAddress.objects.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return user


def _household(number: str, **fields: str) -> Household:
    return Household.objects.filter(number=number).first() or open_household(number=number, **fields)


def _member(
    household: Household, number: str, first: str, last: str, born: dt.date, relationship: str, *, user: User | None
) -> Member:
    return Member.objects.filter(number=number).select_related("household").first() or add_member(
        household, number=number, first_name=first, last_name=last, birth_date=born, relationship=relationship,
        is_primary_holder=relationship == "self", user=user,
    )  # fmt: skip


def _plan(name: str, year: int, **limits: int) -> Plan:
    return Plan.objects.get_or_create(name=name, year=year, defaults=limits)[0]


def _coverage(
    source_id: str, plan: Plan, kind: str, members: list[Member], since: dt.date, *, premium_cents: int,
    subsidy_cents: int,
) -> Coverage:  # fmt: skip
    coverage, is_new = Coverage.objects.get_or_create(
        source="demo", source_id=source_id,
        defaults={
            "plan": plan, "kind": kind, "household": members[0].household, "subscriber": members[0],
            "start_on": since, "premium_cents": premium_cents, "subsidy_cents": subsidy_cents,
        },
    )  # fmt: skip
    if is_new:
        coverage.members.set(members)
    return coverage
