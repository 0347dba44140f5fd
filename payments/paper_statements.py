"""The statements of a month that go by post: of households that have not chosen paperless statements, and of who has
left one and said where letters go.

Who came of age on the account and has no sign-in has theirs in their own name at the household's address, whatever it
chose. Of a confidential member none is printed: another reads the post at the household's address, and staff reach the
member by the address of the request (45 CFR 164.522(b)). Of a private side, whose person has no sign-in, it is
printed in that person's own name (accounts.private_sides.post_of), whatever the household chose: nobody else is told.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import private_sides
from accounts.models import ConfidentialRequest, Departure, Household, Member
from bills import pdf
from bills.models import Statement
from payments import guest_links, language_notice, statement_reading

HEADER = ("file", "statement", "household", "name", "address", "city", "state", "zip", "language")


@dataclass(frozen=True, slots=True)
class Paper:
    """One statement to print and where it goes."""

    file_name: str
    row: tuple[str, ...]
    pdf: bytes


def of_month(month: dt.date) -> Iterator[Paper]:
    """The statements to print, one at a time, in the language of the primary holder."""
    yield from _of_households(month)
    yield from _of_who_left(month)
    yield from _of_who_grew_up(month)
    yield from _of_private_sides(month)


def _of_households(month: dt.date) -> Iterator[Paper]:
    wanted = Statement.objects.filter(month=month, member__isnull=True, household__is_paperless=False)
    for statement in wanted.select_related("household").order_by("household__zip", "pk").iterator(chunk_size=200):
        holder = (
            Member.objects.filter(household=statement.household, is_primary_holder=True).select_related("user").first()
        )
        if statement_reading.of_household(statement).rows:
            yield _paper(statement, holder, _where_they_went(statement.household, holder) or statement.household)


def _where_they_went(household: Household, holder: Member | None) -> Departure | None:
    """Of an account that its last person left: the address that they gave, if they did."""
    if household.closed_on is None or holder is None:
        return None
    return Departure.objects.with_address(timezone.localdate()).filter(member=holder).first()


def _of_who_left(month: dt.date) -> Iterator[Paper]:
    """Their own statements, to the address that they gave; of who is confidential, none."""
    wanted = Statement.objects.filter(month=month, member__isnull=False, member__confidential_since__isnull=True)
    left = Departure.objects.with_address(timezone.localdate())
    for statement in wanted.select_related("household", "member__user").order_by("pk").iterator(chunk_size=200):
        to = left.filter(member_id=statement.member_id or 0).first()
        if to is not None:
            yield _paper(statement, statement.member, to)


def _of_who_grew_up(month: dt.date) -> Iterator[Paper]:
    """Their own statements, where they have no sign-in: as to an adult of the household, at its address."""
    here = Member.objects.people().of_household(timezone.localdate())
    grown = here.filter(confidential_since__isnull=True, user__isnull=True)
    wanted = Statement.objects.filter(month=month, member__in=grown).exclude(household__address="")
    for statement in wanted.select_related("household", "member").order_by("pk").iterator(chunk_size=200):
        yield _paper(statement, statement.member, statement.household)


def _of_private_sides(month: dt.date) -> Iterator[Paper]:
    wanted = Statement.objects.filter(month=month, member__private_of__isnull=False, member__user__isnull=True)
    rows = wanted.select_related("household", "member__user", "member__private_of__household")
    for statement in rows.order_by("pk").iterator(chunk_size=200):
        to = private_sides.post_of(statement.member) if statement.member else None
        if to is not None:
            yield _paper(statement, statement.member, to)


def _paper(
    statement: Statement, reader: Member | None, to: Household | Departure | ConfidentialRequest
) -> Paper:  # fmt: skip
    """The print in the reader's language, and the row of the list that says where it goes."""
    language = reader.user.language if reader is not None and reader.user is not None else "en"
    with translation.override(language):
        made = pdf.rendered("print/statement.html", _context(statement))
    name = f"{statement.number}.pdf"
    row = (
        name, statement.number, statement.household.number, statement.content["name"], to.address, to.city, to.state,
        to.zip, language,
    )  # fmt: skip
    return Paper(name, row, made)


def _context(statement: Statement) -> dict[str, object]:
    """What the print needs without a request: as anybody of the household may see it now, with the way to pay it."""
    portal = settings.PORTAL_URL
    address = portal + reverse("statement", args=[statement.number])
    return {
        "read": statement_reading.of_household(statement),
        "pay_url": address,
        "guest_url": portal + reverse("guest_pay"),
        "help_url": portal + reverse("assistance"),
        "code": guest_links.code(address, title=_("QR code to pay this statement")),
        "languages": list(language_notice.sentences(phone=settings.SUPPORT_PHONE, tty=settings.SUPPORT_TTY)),
    }
