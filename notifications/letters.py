"""Notices that must reach somebody whom no mail reaches: listed for print, marked once they are printed (FAULTS L17).

A letter goes to the address of the household; of a confidential member none is listed, since another reads the post
there: staff reach the member by the address of the request (45 CFR 164.522(b)). About a private side it goes out in the
person's own name (accounts.private_sides.post_of).
"""

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import private_sides
from accounts.models import ConfidentialRequest, Departure, Household, Member
from activity.recording import record
from notifications import paper
from notifications.models import Channel, Notification

HEADER = ("notice", "kind", "about", "since", "household", "name", "address", "city", "state", "zip")
MAX_LETTERS = 10_000  # at once


def waiting() -> QuerySet[Notification]:
    """The letters that are not printed yet, the oldest first."""
    letters = Notification.objects.filter(channel=Channel.LETTER, status=Notification.Status.WAITING)
    return letters.select_related("user").order_by("pk")[:MAX_LETTERS]


def rows() -> Iterator[Sequence[object]]:
    """A row for each letter: to the member whose bill it is about, or to the reader's own member."""
    return (row for _letter, row in addressed())


def printed() -> Iterator[tuple[Sequence[object], bytes]]:
    """The same, each with its document."""
    for letter, row in addressed():
        name, address, city, state, zip_code = map(str, row[HEADER.index("name") :])
        to = [name, *address.splitlines(), f"{city}, {state} {zip_code}"]
        yield row, paper.of_notice(letter, letter.user.language if letter.user is not None else "en", to)


def addressed() -> Iterator[tuple[Notification, Sequence[object]]]:
    """The letters that have an address, and their rows."""
    letters = list(waiting())
    about = Member.objects.select_related("household").in_bulk({letter.member_id for letter in letters} - {None})
    readers = {
        member.user_id: member
        for member in Member.objects.filter(
            user_id__in=[letter.user_id for letter in letters if letter.user_id is not None]
        )
        .select_related("household")
        .order_by("-pk")
    }
    own = {
        request.member_id: request
        for request in ConfidentialRequest.objects.standing().filter(
            channel="post", member_id__in=[*about, *(member.pk for member in readers.values())]
        )
    }
    for letter in letters:
        member = readers.get(letter.user_id) if letter.user_id else about.get(letter.member_id or 0)
        house: Household | ConfidentialRequest | Departure | None = member.household if member else None
        if member is not None and member.is_confidential:
            house = private_sides.post_of(member) if member.private_of_id else own.get(member.pk)
        if member is None or house is None:
            continue
        yield letter, (
            letter.pk, letter.kind, letter.subject, timezone.localtime(letter.created_at).date(),
            member.household.number, member.full_name, house.address, house.city, house.state, house.zip,
        )  # fmt: skip


@transaction.atomic
def mark_printed(notice_ids: Sequence[int], *, actor: str) -> int:
    """Mark letters as printed; how many were waiting."""
    letters = Notification.objects.filter(pk__in=notice_ids, channel=Channel.LETTER, status="waiting")
    done = letters.update(status=Notification.Status.SENT, sent_at=timezone.now())
    if done:
        record("letters.printed", subject="letters", actor=actor, count=done)
    return done
