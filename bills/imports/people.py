"""FHIR Patients as members: found by what the source or the plan numbers them, never by name and birth date (F35).

A member who stands keeps the name, address and household that enrolment gave: a claims file changes none of them. A
confidential communications request that a file carries is set, and never cleared by its absence (J08).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.households import draw_number
from accounts.models import Household, Member
from bills import numbers
from bills.imports import reviewing
from bills.imports.eob import refuse_modifiers
from bills.imports.files import Item
from bills.imports.problems import MALFORMED, NeedsReview, Parked, Problem, Refused, malformed
from bills.imports.run import Rejected, Run, Tally
from bills.imports.states import state_code
from bills.imports.values import Json, codes, date_of, dictionary, objects, resource_id, text, version_of
from bills.imports.writing import copy, draw_ids, fetch

CONFIDENTIAL = {"R", "V"}  # restricted, very restricted: HL7 v3 Confidentiality

ACCOUNT = (
    "id", "type", "owner_id", "is_control", "balance_cents", "is_tracked",
    "credits_must_not_exceed_debits", "debits_must_not_exceed_credits",
)  # fmt: skip
HOUSEHOLD = ("id", "number", "address", "city", "state", "zip", "is_paperless", "credit_id")
MEMBER = (
    "id", "number", "first_name", "last_name", "birth_date", "relationship", "household_id", "is_primary_holder",
    "confidential_since", "source", "source_id", "medical_control_id", "premium_control_id",
)  # fmt: skip


@dataclass(slots=True)
class Person:
    """A Patient as it would stand as a member."""

    key: str
    number: str
    first_name: str
    last_name: str
    birth_date: dt.date
    address: str
    city: str
    state: str
    zip: str
    is_confidential: bool
    line: int
    resource: Json


@dataclass(frozen=True, slots=True)
class Known:
    """A member as far as an import needs to know."""

    id: int
    household_id: int
    medical_control_id: int
    birth_date: dt.date
    is_confidential: bool = False


KNOWN = """
    SELECT {key}, id, household_id, medical_control_id, birth_date, confidential_since IS NOT NULL
      FROM accounts_member WHERE {condition} AND private_of_id IS NULL
"""


def known_by_key(source: str, keys: Sequence[str]) -> dict[str, Known]:
    """The members that the source names so."""
    rows = fetch(KNOWN.format(key="source_id", condition="source = %s AND source_id = ANY(%s)"), [source, list(keys)])
    return {row[0]: Known(*row[1:]) for row in rows}


def known_by_number(member_numbers: Sequence[str]) -> dict[str, Known]:
    """The members with these numbers."""
    rows = fetch(KNOWN.format(key="number", condition="number = ANY(%s)"), [list(member_numbers)])
    return {row[0]: Known(*row[1:]) for row in rows}


def read(item: Item) -> Person:
    """The person of a Patient. Raises Refused where what a member needs is missing."""
    patient = item.resource or {}
    refuse_modifiers(patient)
    key = f"Patient/{resource_id(patient)}"
    names = objects(patient.get("name"))
    name = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    given = name.get("given")
    first = text(" ".join(part for part in given if isinstance(part, str)), 100) if isinstance(given, list) else ""
    last = text(name.get("family"), 100)
    birth_date = date_of(patient.get("birthDate"))
    if not first or not last:
        raise Refused("name", "A member needs a given and a family name.", "name")
    if birth_date is None or len(str(patient.get("birthDate"))) < len("YYYY-MM-DD"):
        raise Refused("birth_date", "A member needs a whole date of birth.", "birthDate")
    address = next(iter(objects(patient.get("address"))), {})
    street = address.get("line")
    return Person(
        key=key,
        number=_member_number(patient),
        first_name=first,
        last_name=last,
        birth_date=birth_date,
        address=text(", ".join(part for part in street if isinstance(part, str)), 200)
        if isinstance(street, list)
        else "",
        city=text(address.get("city"), 100),
        state=state_code(text(address.get("state"), 40)),
        zip=text(address.get("postalCode"), 5),
        is_confidential=any(
            label.get("code") in CONFIDENTIAL for label in objects(dictionary(patient.get("meta")).get("security"))
        ),
        line=item.line,
        resource=patient,
    )


def _member_number(patient: Json) -> str:
    """The identifier of type MB (member number), where it is short enough to be one."""
    for identifier in objects(patient.get("identifier")):
        value = identifier.get("value")
        if (
            "MB" in codes(identifier.get("type"))
            and isinstance(value, str)
            and 0 < len(value) <= 20
            and value.isprintable()
        ):
            return value
    return ""


def take(items: Sequence[Item], run: Run, tally: Tally) -> None:
    """Take the Patients of a chunk: new ones with a household of their own, or their subscriber's."""
    people: dict[str, Person] = {}
    for item in items:
        try:
            person = read(item)
        except (Refused, *MALFORMED) as problem:
            tally.counts["refused"] += 1
            tally.rejected.append(Rejected(item.line, problem if isinstance(problem, Refused) else malformed()))
            continue
        if person.key in people:
            tally.counts["same"] += 1
        people[person.key] = person
    for waiting in reviewing.waiting_for_subscriber(run.source, list(people)):
        run.learn_family(*waiting)
    subscribers = [run.families[key][0] for key in people if key in run.families]
    known = known_by_key(run.source, [*people, *subscribers])
    by_number = known_by_number([person.number for person in people.values() if person.number])
    new: list[Person] = []
    for person in people.values():
        try:
            if _stands(person, known, by_number, run):
                tally.counts["same"] += 1
                tally.taken.append(person.key)
            else:
                new.append(person)
        except Problem as problem:
            _hold(person, problem, tally)
    _mark_confidential([known[p.key].id for p in people.values() if p.is_confidential and p.key in known])
    _create(_placed(new, known, run, tally), known, run, tally)


def _hold(person: Person, problem: Problem, tally: Tally) -> None:
    tally.counts["in_review"] += 1
    version = version_of(person.resource)
    tally.rejected.append(Rejected(person.line, problem, person.key, version, person.resource))


def _stands(person: Person, known: dict[str, Known], by_number: dict[str, Known], run: Run) -> bool:
    """Whether the person is a member already: by the source's key, or by the plan's number, which is then adopted."""
    member = known.get(person.key)
    if member is None and person.number:
        member = by_number.get(person.number)
        if member is not None:
            if member.birth_date != person.birth_date:
                raise NeedsReview("another_person", "The member number stands with another date of birth.", "birthDate")
            adopted = Member.objects.filter(pk=member.id, source_id="").update(source=run.source, source_id=person.key)
            if not adopted:
                raise NeedsReview(
                    "number_taken", "The member number stands under another id of a source.", "identifier"
                )
            known[person.key] = member
    if member is None:
        return False
    if member.birth_date != person.birth_date:
        raise NeedsReview("another_person", "The id stands with another date of birth.", "birthDate")
    return True


def _mark_confidential(member_ids: Sequence[int]) -> None:
    if member_ids:
        Member.objects.filter(pk__in=member_ids, confidential_since__isnull=True).update(
            confidential_since=timezone.now()
        )


def _placed(new: list[Person], known: dict[str, Known], run: Run, tally: Tally) -> list[Person]:
    """Those whose household can be told, subscribers before their dependants; the others wait for their subscriber."""
    keys = {person.key for person in new}
    ready, dependants = [], []
    numbers_seen: set[str] = set()
    for person in new:
        if person.number and person.number in numbers_seen:
            _hold(
                person,
                NeedsReview("number_taken", "Two people of the file have this member number.", "identifier"),
                tally,
            )
            continue
        numbers_seen.add(person.number)
        subscriber = run.families.get(person.key, (person.key, ""))[0]
        if subscriber == person.key:
            ready.append(person)
        elif subscriber in known or (subscriber in keys and subscriber not in run.families):
            dependants.append(person)
        else:
            reason = "The subscriber has not been imported: the member waits for the subscriber."
            relationship = run.families[person.key][1]
            _hold(person, Parked("subscriber_unknown", reason, "subscriber", subscriber, relationship), tally)
    return ready + dependants


def _create(people: list[Person], known: dict[str, Known], run: Run, tally: Tally) -> None:
    if not people:
        return
    holders = [person for person in people if run.families.get(person.key, (person.key,))[0] == person.key]
    household_ids = dict(zip((p.key for p in holders), draw_ids("accounts_household", len(holders)), strict=True))
    for key, member in known.items():
        household_ids.setdefault(key, member.household_id)
    member_ids = draw_ids("accounts_member", len(people))
    account_ids = iter(draw_ids("ledger_account", len(holders) + 2 * len(people)))
    accounts: list[tuple[object, ...]] = []
    households: list[tuple[object, ...]] = []
    members: list[tuple[object, ...]] = []
    for person, number in zip(holders, _household_numbers(len(holders)), strict=True):
        household_id, credit_id = household_ids[person.key], next(account_ids)
        accounts.append((credit_id, "liability", household_id, False, 0, True, False, True))
        households.append(
            (household_id, number, person.address, person.city, person.state, person.zip, False, credit_id)
        )
    for person, member_id in zip(people, member_ids, strict=True):
        subscriber, relationship = run.families.get(person.key, (person.key, Member.Relationship.SELF.value))
        if subscriber not in household_ids:  # the subscriber was refused in this very chunk
            reason = "The subscriber was not taken."
            _hold(person, Parked("subscriber_unknown", reason, "subscriber", subscriber, relationship), tally)
            continue
        household_id, medical_id, premium_id = household_ids[subscriber], next(account_ids), next(account_ids)
        accounts += [(i, "asset", household_id, True, 0, True, False, False) for i in (medical_id, premium_id)]
        members.append(
            (
                member_id, person.number or f"M-{numbers.draw()}", person.first_name, person.last_name,
                person.birth_date, relationship, household_id, subscriber == person.key,
                timezone.now() if person.is_confidential else None, run.source, person.key, medical_id, premium_id,
            )
        )  # fmt: skip
        known[person.key] = Known(member_id, household_id, medical_id, person.birth_date, person.is_confidential)
        tally.counts["new"] += 1
        tally.taken.append(person.key)
    copy("ledger_account", ACCOUNT, accounts)
    copy("accounts_household", HOUSEHOLD, households)
    copy("accounts_member", MEMBER, members)


def _household_numbers(count: int) -> list[str]:
    """Household numbers that none has: eight digits are few enough that a drawn one may stand already."""
    drawn: set[str] = set()
    while len(drawn) < count:
        fresh = {draw_number() for _ in range(count - len(drawn))}
        drawn |= fresh - set(Household.objects.filter(number__in=fresh).values_list("number", flat=True))
    return list(drawn)
