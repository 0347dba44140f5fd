"""Opening households and adding members: each with the accounts of the ledger that it needs."""

import datetime as dt
import secrets
from collections.abc import Collection, Mapping

from django.db import transaction

from accounts.models import Delegate, Household, Member, User
from activity import doorbell, recording
from activity.models import Event
from ledger import opening

# What can be had on paper or not, and the column of Household that says which.
DOCUMENTS = {
    "statements": "is_paperless",
    "bills": "has_paperless_bills",
    "explanations": "has_paperless_explanations",
    "letters": "has_paperless_letters",
}


@transaction.atomic
def open_household(*, number: str | None = None, **fields: object) -> Household:
    """Open a household with its credit account. A number is drawn where none is given."""
    household = Household.objects.create(number=number or draw_number(), **fields)
    household.credit = opening.household_credit(owner_id=household.pk)
    household.save(update_fields=["credit"])
    return household


@transaction.atomic
def add_member(
    household: Household,
    *,
    number: str,
    first_name: str,
    last_name: str,
    birth_date: dt.date,
    relationship: str = Member.Relationship.SELF,
    is_primary_holder: bool = False,
    user: User | None = None,
    source: str = "",
    source_id: str = "",
) -> Member:
    """Add a member with the two accounts that sum what the member owes: medical and premium."""
    return Member.objects.create(
        household=household,
        number=number,
        first_name=first_name,
        last_name=last_name,
        birth_date=birth_date,
        relationship=relationship,
        is_primary_holder=is_primary_holder,
        user=user,
        source=source,
        source_id=source_id,
        medical_control=opening.control(owner_id=household.pk),
        premium_control=opening.control(owner_id=household.pk),
    )


@transaction.atomic
def set_paperless(household_id: int, *, is_paperless: bool, actor: str, document: str = "statements") -> bool:
    """Choose paper or paperless for one of DOCUMENTS; False where that is how it stands. Reversible at any time."""
    column = DOCUMENTS[document]
    households = Household.objects.filter(pk=household_id)
    changed = households.exclude(**{column: is_paperless}).update(**{column: is_paperless})
    if changed:
        recording.record_many([_paperless_event(household_id, document, is_paperless=is_paperless, actor=actor)])
        doorbell.ring("notifications.tasks.work_off")  # a change is confirmed by a notice
    return bool(changed)


def _paperless_event(household_id: int, document: str, *, is_paperless: bool, actor: str) -> Event:
    return Event(
        kind="household.paperless",
        subject=f"household:{household_id}",
        actor=actor,
        owner_id=household_id,
        to_status="paperless" if is_paperless else "paper",
        data={"document": document},
    )


@transaction.atomic
def set_paperless_many(chosen: Mapping[int, Mapping[str, bool]], *, actor: str) -> None:
    """As `set_paperless`, of many households by their ids, each with what was chosen for some of DOCUMENTS."""
    told = []
    for document, column in DOCUMENTS.items():
        for is_paperless in (True, False):
            ids = [pk for pk, choices in chosen.items() if choices.get(document) is is_paperless]
            standing = Household.objects.filter(pk__in=ids).exclude(**{column: is_paperless}).order_by("pk")
            changed = list(standing.select_for_update().values_list("pk", flat=True)) if ids else []
            if not changed:
                continue
            Household.objects.filter(pk__in=changed).update(**{column: is_paperless})
            told += [_paperless_event(pk, document, is_paperless=is_paperless, actor=actor) for pk in changed]
    if told:
        recording.record_many(told)
        doorbell.ring("notifications.tasks.work_off")


def draw_number() -> str:
    """A household account number, e.g. 4410-2297: drawn, not counted, so that it tells nothing."""
    digits = f"{secrets.randbelow(10**8):08d}"
    return f"{digits[:4]}-{digits[4:]}"


def is_of(user: User, household_ids: Collection[int]) -> bool:
    """Whether somebody belongs to one of these households, as its member or as a delegate of one of its members."""
    return (
        Member.objects.filter(user=user, household_id__in=household_ids).exists()
        or Delegate.objects.filter(user=user, member__household_id__in=household_ids, ended_at__isnull=True).exists()
    )
