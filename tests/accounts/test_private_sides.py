"""Own consent by state, age and kind of service, and the private side of a member (FAULTS F14)."""

import datetime as dt

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import (
    confidentiality,
    consent_rules,
    delegates,
    departures,
    enrolment,
    enrolment_codes,
    private_sides,
    sight,
)
from accounts.enrolment import Proof
from accounts.models import ConsentRule, Departure, Member, User
from accounts.visibility import scope_of
from bills.models import Bill, Claim
from payments import departing
from tests.access.conftest import prove
from tests.accounts.private import private_side_of
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate

WALL = "accounts_member_private_side_of_ones_own"
BORN = dt.date(2012, 3, 4)


def own(state: str, kind: str, on: dt.date, born: dt.date = BORN) -> bool:
    return consent_rules.is_own(consent_rules.of_states([state]), [kind], state, born=born, on=on)


@pytest.mark.parametrize(
    ("state", "kind", "age"),
    [
        ("CA", "mental_health", 12), ("CA", "gender_affirming", 12),
        ("CA", "restricted", 12), ("WA", "mental_health", 13),
        ("WA", "sti", 14), ("OR", "substance_use", 14), ("OR", "sti", 10),
        ("CA", "reproductive", 10), ("VA", "sti", 10),
        ("MD", "mental_health", 12), ("HI", "sti", 14), ("TX", "mental_health", 13), ("", "sti", 13),
    ],
)  # fmt: skip
def test_from_the_birthday_on_it_is_ones_own(db: None, state: str, kind: str, age: int) -> None:
    birthday = BORN.replace(year=BORN.year + age)
    assert not own(state, kind, birthday - dt.timedelta(days=1))
    assert own(state, kind, birthday)
    assert own(state, kind, birthday.replace(year=birthday.year + 30))  # an adult dependant too


def test_who_was_born_on_a_leap_day_is_older_on_the_first_of_march(db: None) -> None:
    born = dt.date(2012, 2, 29)
    assert not own("WA", "mental_health", dt.date(2025, 2, 28), born)
    assert own("WA", "mental_health", dt.date(2025, 3, 1), born)


def test_a_rule_holds_from_its_first_day(db: None) -> None:
    ConsentRule.objects.create(state="WA", kind="sti", from_age=17, effective_from=dt.date(2027, 1, 1), source="test")
    assert own("WA", "sti", dt.date(2026, 12, 31))
    assert not own("WA", "sti", dt.date(2027, 1, 1))
    assert own("WA", "sti", dt.date(2019, 1, 1), dt.date(2000, 1, 1))  # older than every rule


def test_every_rule_names_its_source(db: None) -> None:
    assert not ConsentRule.objects.filter(source="").exists()
    assert ConsentRule.objects.filter(state="", kind="").exists()  # what holds where no other does


def test_the_private_side_is_the_same_person_apart_from_the_holder(cast: Cast) -> None:
    side = private_side_of(cast.maya)
    assert (side.full_name, side.birth_date, side.household, side.joined_on) == (
        cast.maya.full_name, cast.maya.birth_date, cast.household, cast.maya.joined_on,
    )  # fmt: skip
    assert side.is_apart and not side.is_primary_holder
    assert private_side_of(cast.maya) == side
    scope = scope_of(cast.alice.user)
    assert cast.maya.pk in scope.held_ids and side.pk not in scope.member_ids


def test_a_holders_services_have_no_private_side(cast: Cast) -> None:
    assert private_sides.open_for([cast.alice.pk], actor="test") == {}


def test_the_database_keeps_it_confidential_and_of_its_household(cast: Cast) -> None:
    side = private_side_of(cast.maya)
    for wrong in ({"confidential_since": None}, {"is_primary_holder": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Member.objects.filter(pk=side.pk).update(**wrong)
    for changed, wrong in (
        (side.pk, {"household": cast.strangers}), (side.pk, {"private_of": side.pk}),
        (cast.bob.pk, {"private_of": side.pk}), (cast.maya.pk, {"household": cast.strangers}),
    ):  # fmt: skip
        with pytest.raises((IntegrityError, DataError), match="same household"), transaction.atomic():
            Member.objects.filter(pk=changed).update(confidential_since=side.confidential_since, **wrong)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_who_enrols_gets_both_sides_and_nobody_enrols_by_the_private_ones_number(cast: Cast) -> None:
    side = private_side_of(cast.maya)
    user = User.objects.create_user("maya@example.com", "x")
    Member.objects.filter(pk__in=[cast.maya.pk, side.pk]).update(birth_date=dt.date(2012, 1, 1))
    code = enrolment_codes.text_of(enrolment_codes.issue(cast.maya, way="told", actor="test"))
    proof = Proof(side.number, dt.date(2012, 1, 1), "94612", code)
    with pytest.raises(enrolment.NotMatched):
        enrolment.claim(user, proof, address="1")
    enrolment.claim(user, Proof(cast.maya.number, dt.date(2012, 1, 1), "94612", code), address="1")
    assert scope_of(user).own_ids == {cast.maya.pk, side.pk}
    assert private_side_of(cast.bob).user == cast.bob.user  # opened later


def test_nothing_is_done_with_the_private_side_alone(cast: Cast) -> None:
    side = private_side_of(cast.bob)
    scope = scope_of(cast.bob.user)
    for offered in (delegates.may_grant_for(scope), departures.may_plan_for(scope), sight.may_give(scope)):
        assert side not in offered
    confidentiality.begin(cast.bob, where={"channel": "mail", "email": "bob@example.com"}, actor="test")
    client = prove(Client(), cast.bob.user)
    assert client.post("/family/confidential/end/").status_code == 302
    confidentiality.withdraw(side, actor="test")
    assert Member.objects.get(pk=side.pk).is_confidential
    assert not Member.objects.get(pk=cast.bob.pk).is_confidential


def test_a_delegate_of_the_rest_gets_nothing_of_it(cast: Cast) -> None:
    side = private_side_of(cast.bob)
    helper = make_delegate(cast.bob, "helper@example.com", "full")
    assert scope_of(helper).member_ids == {cast.bob.pk}
    assert side.pk not in scope_of(helper).payable_ids


def test_who_leaves_or_has_died_does_so_with_both_sides(cast: Cast) -> None:
    side = private_side_of(cast.bob)
    on = timezone.localdate()
    departures.record_leaving(cast.bob, cause="moving_out", on=on, by=cast.dana, reason="told us")
    assert Member.objects.get(pk=side.pk).left_on == on
    departures.record_death(cast.bob, on=on, by=cast.dana, reason="proof")
    assert Member.objects.get(pk=side.pk).died_on == on
    assert not User.objects.get(pk=cast.bob.user_id).is_active  # though the sign-in has two members
    with pytest.raises(departures.Refused):
        departures.record_death(side, on=on, by=cast.dana, reason="again")
    departures.undo_death(cast.bob, by=cast.dana, reason="in error")
    assert Member.objects.get(pk=side.pk).died_on is None


def test_a_leaving_shares_nothing_of_it_with_the_holder(cast: Cast) -> None:
    side = private_side_of(cast.bob)
    bills = [make_bill(cast.bob), make_bill(side)]
    today = timezone.localdate()
    departure = departures.record_leaving(cast.bob, cause="divorce", on=today, by=cast.dana, reason="told us")
    Departure.objects.filter(pk=departure.pk).update(bills="holder")
    departing.run(today + dt.timedelta(days=1))
    shared = [Bill.objects.get(pk=bill.pk).shared_at is not None for bill in bills]
    assert shared == [True, False]


def test_the_person_sees_both_sides_as_one_year_and_names_them(cast: Cast) -> None:
    make_coverage(cast.alice, cast.bob)
    side = private_side_of(cast.bob)
    today = timezone.localdate()
    for member, cents in ((cast.bob, 100_000), (side, 50_000)):
        bill = make_bill(member, amount_cents=cents, title=f"Visit {member.pk}")
        Claim.objects.create(
            number=f"C{member.pk}", member=member, household=member.household, bill=bill, kind="professional",
            service_on=today, deductible_cents=cents, member_owes_cents=cents, source="test", source_id=f"c{member.pk}",
            source_version="1",
        )  # fmt: skip
    client = prove(Client(), cast.bob.user)
    year = client.get("/claims/year/").content.decode()
    assert "1,500" in year
    bills = client.get("/bills/").content.decode()
    assert "Bob · private services" in bills and f"Visit {cast.bob.pk}" in bills
    assert "Bob Rivera · private services" in client.get("/family/").content.decode()
    alices = prove(Client(), cast.alice.user)
    assert "1,000" in alices.get("/claims/year/").content.decode()
    for address in ("/claims/year/", "/bills/", "/family/", "/family/owes/"):
        page = alices.get(address).content.decode()
        assert "private" not in page and "1,500" not in page
