"""What goes by post as PDF: letters that no mail reaches; bills, explanations and letters of those who want paper.

As statements do (payments.paper_statements): to the primary holder at the household's address, of nobody who is apart
from the holder. Who has no sign-in is told by letter of what is required anyhow (notifications.letters).
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone, translation

from accounts.models import Household, Member
from accounts.visibility import Scope
from activity.models import Event
from assistance import letters as help_letters
from assistance.models import Application
from bills import claim_pages, explained_claims, holds, pdf
from bills.models import Bill, Claim, GracePeriod
from notifications import plain_letters
from notifications.models import Notification
from payments import grace_papers
from payments.pages.bills import told as told_of_bill
from payments.pages.guest_linking import printed_link

HEADER = ("file", "document", "household", "name", "address", "city", "state", "zip", "language")
GRACE = "coverage__household", "coverage__subscriber", "coverage__plan", "rule"
OF_NOTICES = {"grace_began": False, "grace_ends_soon": False, "coverage_ended": True}  # whether it is of the end
HELP = [f"application.{about}" for about in help_letters.About.values]


@dataclass(frozen=True, slots=True)
class Paper:
    """One document to print, and where it goes."""

    file_name: str
    row: tuple[str, ...]
    pdf: bytes


def of_notice(letter: Notification, language: str, to: Sequence[str]) -> bytes:
    """The document that a letter is, or a plain letter to these lines for a notice that has none of its own."""
    if letter.kind not in OF_NOTICES:
        return plain_letters.printed(letter, language, to)
    found = GracePeriod.objects.select_related(*GRACE).get(pk=int(letter.subject.partition(":")[2]))
    with translation.override(language):
        return grace_papers.printed(found, is_end=OF_NOTICES[letter.kind])


def wanted(document: str, since: dt.date, until: dt.date) -> Iterator[Paper]:
    """The documents of some days for those who want them on paper, one at a time."""
    yield from SOURCES[document](since, until)


def _bills(since: dt.date, until: dt.date) -> Iterator[Paper]:
    found = Bill.objects.filter(issued_on__range=(since, until), household__has_paperless_bills=False, voided_at=None)
    for bill in found.select_related("household", "member", "coverage__plan", "receivable").order_by("household", "pk"):
        if (reader := _reader(bill.household, bill.member)) is not None:
            with translation.override(_language(reader)):
                scope = _scope(reader)
                said = told_of_bill(bill, scope, holds.causes_of(bill))
                context = {**said, "printed_link": printed_link(bill, scope)}
                yield _paper("print/bill.html", context, f"bill-{bill.number}", bill.number, reader)


def _explanations(since: dt.date, until: dt.date) -> Iterator[Paper]:
    found = Claim.objects.filter(
        Q(processed_on__range=(since, until)) | Q(processed_on=None, created_at__date__range=(since, until)),
        household__has_paperless_explanations=False, status=Claim.Status.ACTIVE,
        kind__in=explained_claims.Kind.values,
    )  # fmt: skip
    for claim in found.select_related("household", "member").order_by("household", "pk"):
        if (reader := _reader(claim.household, claim.member)) is not None:
            with translation.override(_language(reader)):
                context = {**claim_pages.told(claim), "printed_at": timezone.now()}
                yield _paper("print/explanation.html", context, f"explanation-{claim.pk}", claim.number, reader)


def _letters(since: dt.date, until: dt.date) -> Iterator[Paper]:
    days = (since, until)
    ended = Q(status=GracePeriod.Status.ENDED, closed_on__range=days)
    found = GracePeriod.objects.filter(
        Q(noticed_on__range=days) | ended, coverage__household__has_paperless_letters=False
    )
    for grace in found.select_related(*GRACE).order_by("coverage__household", "pk"):
        coverage = grace.coverage
        reader = _reader(coverage.household, coverage.subscriber)
        if reader is None or reader.user is None:  # without a sign-in the notice itself is a letter
            continue
        for is_end, on in ((False, grace.noticed_on), (True, grace.closed_on)):
            if on is None or not since <= on <= until or (is_end and grace.status != GracePeriod.Status.ENDED):
                continue
            with translation.override(_language(reader)):
                made = grace_papers.printed(grace, is_end=is_end)
            name = f"{'end-of-coverage' if is_end else 'grace'}-{grace.pk}"
            yield _of(name, str(grace.pk), reader, made)
    yield from _help_letters(since, until)


def _help_letters(since: dt.date, until: dt.date) -> Iterator[Paper]:
    events = Event.objects.filter(kind__in=HELP, at__date__range=(since, until)).order_by("pk")
    for event in events.iterator(chunk_size=200):
        number = event.subject.partition(":")[2]
        application = Application.objects.select_related("household").filter(number=number).first()
        if application is None or application.household.has_paperless_letters:
            continue
        asked = Member.objects.filter(household=application.household, user=application.applicant_id).first()
        reader = _reader(application.household, asked) if asked is not None else None
        if reader is not None and reader == asked:  # one's own application is nobody else's to read
            context = {
                "letter": help_letters.Letter(application, event), "application": application,
                "language": application.language,
            }  # fmt: skip
            yield _paper("print/help_letter.html", context, f"help-{event.pk}", application.number, reader)


SOURCES: Mapping[str, Callable[[dt.date, dt.date], Iterator[Paper]]] = {
    "bills": _bills, "explanations": _explanations, "letters": _letters,
}  # fmt: skip


def _reader(household: Household, member: Member) -> Member | None:
    """Who reads at home what is about a member: the primary holder; None of who is apart, or without an address."""
    if member.is_apart or not household.address or household.closed_on is not None:
        return None
    here = Member.objects.holding(timezone.localdate()).filter(household=household, confidential_since=None)
    return here.select_related("user", "household").first()


def _scope(reader: Member) -> Scope:
    """What the holder reads at home: of everybody who is not apart."""
    of_it = Member.objects.filter(household=reader.household)
    apart = Member.objects.apart(timezone.localdate()).filter(household=reader.household)
    held = frozenset(of_it.exclude(pk__in=apart.values("pk")).values_list("pk", flat=True))
    houses = frozenset({reader.household_id})
    return Scope(
        user_id=reader.user_id or 0, own_ids=frozenset({reader.pk}), held_ids=held, household_ids=houses,
        held_household_ids=houses,
    )  # fmt: skip


def _paper(template: str, context: Mapping[str, object], name: str, number: str, reader: Member) -> Paper:
    return _of(name, number, reader, pdf.rendered(template, context))


def _of(name: str, number: str, reader: Member, made: bytes) -> Paper:
    to, file_name = reader.household, f"{name}.pdf"
    row = (file_name, number, to.number, reader.full_name, to.address, to.city, to.state, to.zip, _language(reader))
    return Paper(file_name, row, made)


def _language(reader: Member) -> str:
    return reader.user.language if reader.user is not None else "en"
