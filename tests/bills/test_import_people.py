"""Patients and Coverages from FHIR: who becomes a member, in which household, and who is never taken for whom."""

import datetime as dt
import json
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.households import add_member
from accounts.models import Coverage, Household, Member
from bills import premiums
from ledger.models import Account
from tests.bills.importing import book_holds, counts, eob, open_reviews, owed_cents, patient, rules, take, take_path
from tests.conftest import Cast


def coverage(
    id: str = "c1", of: str = "p1", subscriber: str = "p1", relationship: str = "self", **changes: object
) -> dict:  # noqa: A002
    """A Coverage of the plan Gold from January on."""
    return {
        "resourceType": "Coverage",
        "id": id,
        "status": "active",
        "beneficiary": {"reference": f"Patient/{of}"},
        "subscriber": {"reference": f"Patient/{subscriber}"},
        "relationship": {"coding": [{"code": relationship}]},
        "period": {"start": "2026-01-01"},
        "payor": [{"display": "Example Health"}],
        "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "G", "name": "Gold"}],
    } | changes


@pytest.fixture
def folder(db: None, tmp_path: Path) -> Path:
    """A folder for files."""
    return tmp_path


def member(id: str = "p1") -> Member:  # noqa: A002
    """The member of a Patient."""
    return Member.objects.get(source="fhir", source_id=f"Patient/{id}")


def test_a_patient_becomes_the_holder_of_a_household_of_their_own(folder: Path) -> None:
    """With the accounts that a household and a member need, as `accounts.households` opens them."""
    take(folder, patient())
    ana = member()
    house = ana.household
    assert (ana.number, ana.full_name, ana.birth_date) == ("N-p1", "Ana Luz Ortiz", dt.date(1980, 2, 3))
    assert (ana.is_primary_holder, ana.relationship, ana.confidential_since) == (True, "self", None)
    assert (house.address, house.city, house.state, house.zip) == ("1 Elm Street", "Oakland", "CA", "94612")
    own = add_member(house, number="X", first_name="A", last_name="B", birth_date=dt.date(2000, 1, 1))
    apart = ("id", "_state")
    for name in ("medical_control", "premium_control"):
        accounts = [{k: v for k, v in vars(getattr(m, name)).items() if k not in apart} for m in (ana, own)]
        assert accounts[0] == accounts[1]
    credit = Account.objects.get(pk=house.credit_id)
    assert (credit.type, credit.owner_id, credit.debits_must_not_exceed_credits) == ("liability", house.pk, True)
    assert book_holds()


def test_a_member_whom_enrolment_made_is_found_by_number_and_keeps_name_and_household(
    cast: Cast, tmp_path: Path
) -> None:
    """Claims that follow are Maya's; her name and household stay as enrolment gave them."""
    number = [{"type": {"coding": [{"code": "MB"}]}, "value": "M-MAYA"}]
    batch = take(tmp_path, patient("x7", identifier=number, birthDate="2015-11-02"), eob(patient_id="x7"))
    assert counts(batch) == {"new": 1, "same": 1}
    cast.maya.refresh_from_db()
    assert (cast.maya.source_id, cast.maya.full_name) == ("Patient/x7", "Maya Rivera")
    assert cast.maya.bills.get().household == cast.household


def test_a_member_number_with_another_birth_date_goes_to_review(cast: Cast, tmp_path: Path) -> None:
    """A mistyped number must not put somebody's claims before another."""
    number = [{"type": {"coding": [{"code": "MB"}]}, "value": "M-MAYA"}]
    take(tmp_path, patient("x7", identifier=number), eob(patient_id="x7"))
    assert open_reviews() == ["patient_unknown", "another_person"]
    assert not cast.maya.bills.exists()


def test_twins_are_never_taken_for_each_other(folder: Path) -> None:
    """F35: same name, same birth date, same address: two members."""
    take(folder, patient("t1"), patient("t2"), eob("e1", "t1"), eob("e2", "t2"))
    assert Member.objects.count() == 2
    assert [member(id).bills.count() for id in ("t1", "t2")] == [1, 1]


def test_the_same_id_with_another_birth_date_is_another_person(folder: Path) -> None:
    """An id that a source has used twice."""
    take(folder, patient())
    take(folder, patient(birthDate="1999-09-09", identifier=[]))
    assert open_reviews() == ["another_person"]
    assert member().birth_date == dt.date(1980, 2, 3)


def test_sources_are_kept_apart(folder: Path) -> None:
    """Two systems both have a Patient/p1."""
    take(folder, patient(identifier=[]), source="north")
    take(folder, patient(identifier=[], birthDate="1999-09-09"), eob(), source="south")
    assert Member.objects.count() == 2
    assert Member.objects.get(source="south").bills.count() == 1


def test_a_confidential_mark_is_set_and_never_cleared_by_its_absence(folder: Path) -> None:
    """J08."""
    take(folder, patient(meta={"security": [{"code": "R"}]}), patient("p2"))
    since = member().confidential_since
    assert since is not None
    assert member("p2").confidential_since is None
    take(folder, patient(), patient("p2"))
    take(folder, patient(meta={"security": [{"code": "R"}]}))
    assert member().confidential_since == since
    Member.objects.filter(pk=member("p2").pk).update(confidential_since=timezone.now())  # by Member Services
    take(folder, patient("p2"), eob(patient_id="p2"), coverage(of="p2", subscriber="p2"))
    assert member("p2").confidential_since is not None


@pytest.mark.parametrize("order", ["coverage first", "coverage last"])
def test_a_dependant_joins_the_subscriber_s_household(folder: Path, order: str) -> None:
    """In one chunk the order does not matter."""
    people = [patient("kid", birthDate="2015-01-01"), patient("p1")]
    covers = [coverage(), coverage("c2", of="kid", relationship="child")]
    take(folder, *(covers + people if order == "coverage first" else people + covers))
    assert Household.objects.count() == 1
    kid = member("kid")
    assert (kid.household, kid.relationship, kid.is_primary_holder) == (member().household, "child", False)
    family = Coverage.objects.get()
    assert (family.kind, family.subscriber, family.plan.name) == ("family", member(), "Gold")
    assert set(family.members.all()) == {member(), kid}
    assert book_holds()


def test_a_folder_s_coverages_are_read_before_its_patients(folder: Path) -> None:
    """A bulk export has a file for each type: the family is known before anybody gets a household."""
    inside = folder / "export"
    inside.mkdir()
    (inside / "Patient.ndjson").write_text("\n".join(map(json.dumps, [patient("kid"), patient("p1")])))
    (inside / "Coverage.ndjson").write_text(
        "\n".join(map(json.dumps, [coverage(), coverage("c2", of="kid", relationship="child")]))
    )
    take_path(inside)
    assert Household.objects.count() == 1


def test_a_dependant_waits_for_a_subscriber_who_comes_later(folder: Path) -> None:
    """J05 for people: the dependant, the coverage and the claim are taken when the subscriber comes."""
    kid = patient("kid")
    take(folder, coverage("c2", of="kid", relationship="child"), kid, eob(patient_id="kid"))
    assert open_reviews() == ["patient_unknown", "patient_unknown", "subscriber_unknown"]
    take(folder, kid)  # alone, and again: still not a household of its own
    assert not Member.objects.exists()
    take(folder, patient("p1"))
    assert open_reviews() == []
    assert (Household.objects.count(), member("kid").household) == (1, member().household)
    assert (owed_cents(), Coverage.objects.get().household) == (3000, member().household)
    assert book_holds()


def test_a_coverage_s_dates_are_brought_up_to_date(folder: Path) -> None:
    """A termination, and once more the same."""
    ended = coverage(period={"start": "2026-01-01", "end": "2026-06-30"})
    assert counts(take(folder, patient(), coverage())) == {"new": 2}
    assert counts(take(folder, ended)) == {"changed": 1}
    assert counts(take(folder, ended)) == {"same": 1}
    assert Coverage.objects.get().end_on == dt.date(2026, 6, 30)


def test_a_late_termination_takes_back_premiums_of_long_ago(folder: Path) -> None:
    """FAULTS A23: further back than the daily run looks."""
    take(folder, patient(), coverage())
    Coverage.objects.update(premium_cents=10_000)
    months_ago = timezone.localdate().replace(day=1) - dt.timedelta(days=200)
    assert premiums.issue_month(months_ago) == 1
    ended = months_ago.replace(day=1) - dt.timedelta(days=1)
    take(folder, coverage(period={"start": "2025-01-01", "end": ended.isoformat()}))
    assert owed_cents() == 0
    assert book_holds()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"name": [{"family": "Only"}]}, "name"),
        ({"birthDate": "1980"}, "birth_date"),
        ({"birthDate": "1980-02-31"}, "birth_date"),
        ({"birthDate": 19800203}, "birth_date"),
        ({"modifierExtension": [{"url": "x"}]}, "modifier_extension"),
        ({"id": "../../etc"}, "id"),
        ({"name": "Ana Ortiz"}, "name"),
        ({"address": [{"line": "1 Elm Street"}], "name": [{"family": 1, "given": 2}]}, "name"),
    ],
)
def test_a_patient_who_lacks_what_a_member_needs_is_refused(folder: Path, changes: dict, rule: str) -> None:
    """The others of the file are taken."""
    batch = take(folder, patient("p0") | changes, patient("p1"))
    assert (counts(batch), rules(batch)) == ({"new": 1, "refused": 1}, [rule])
