"""Everything that a viewer may keep, in one list: statements, receipts, explanations of benefits, letters, agreements.

The latest first. Each kind is read along an index, at most MAX_OF_KIND of a year.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Member
from accounts.visibility import Scope
from bills import explained_claims
from bills.models import Bill, Claim, GracePeriod, Statement
from ledger.templatetags.portal import month as month_words
from payments import history, statement_reading
from payments.history import Wanted
from payments.models import Payment, PlanAgreement
from payments.states import SETTLED

MAX_OF_KIND = 200  # of one kind in one year
MAX_OF_BILL = 12  # of one kind on the page of a bill


class Kind(models.TextChoices):
    """The kinds of document."""

    STATEMENT = "statement", gettext_lazy("Statement")
    RECEIPT = "receipt", gettext_lazy("Receipt")
    EXPLANATION = "explanation", gettext_lazy("Explanation of benefits")
    LETTER = "letter", gettext_lazy("Letter")
    AGREEMENT = "agreement", gettext_lazy("Agreement")


@dataclass(frozen=True, slots=True)
class Paper:
    """One document: what it is, of when and whom, where it is read and where downloaded."""

    kind: Kind
    title: str
    number: str
    on: dt.date
    people: tuple[str, ...]
    href: str
    pdf_href: str
    cents: int | None = None
    is_new: bool = False


def listed(scope: Scope, *, year: int, person: Member | None = None, kind: str = "", words: str = "") -> list[Paper]:
    """The documents of a year, of one person, of one kind, with these words in title, number or name."""
    sources = {
        Kind.STATEMENT: [_statements], Kind.RECEIPT: [_receipts], Kind.AGREEMENT: [_agreements],
        Kind.EXPLANATION: [_explanations],
        Kind.LETTER: [_letters, *(import_string(name) for name in settings.LETTER_SOURCES)],
    }  # fmt: skip
    found = [
        paper
        for each, of_kind in sources.items()
        if kind in ("", each)
        for source in of_kind
        for paper in source(scope, year, person)
        if not words or words.casefold() in " ".join((paper.title, paper.number, *paper.people)).casefold()
    ]
    return sorted(found, key=lambda paper: (paper.on, paper.number), reverse=True)


def of_bill(scope: Scope, bill: Bill) -> list[Paper]:
    """The documents in which one bill stands, as far as the viewer sees them, the latest first."""
    found = [*_statements_of(scope, bill), *_receipts_of(scope, bill), *_agreements_of(scope, bill)]
    return sorted(found, key=lambda paper: (paper.on, paper.number), reverse=True)


def _statements(scope: Scope, year: int, person: Member | None) -> Iterator[Paper]:
    statements = Statement.objects.visible_to(scope).filter(month__year=year).order_by("-month")[:MAX_OF_KIND]
    opened = set(
        statements.model.objects.filter(
            pk__in=[each.pk for each in statements], openings__user_id=scope.user_id
        ).values_list("pk", flat=True)
    )
    for statement in statements:
        read = statement_reading.read(statement, scope)
        people = tuple(dict.fromkeys(row.person for row in read.rows))
        # One of which nothing is left to see does not exist: that it was issued would tell of the others.
        if read.rows and (person is None or person.full_name in people):
            yield Paper(
                Kind.STATEMENT,
                _("Statement for %(month)s") % {"month": month_words(statement.month)},
                statement.number,
                statement.issued_on,
                people,
                reverse("statement", args=[statement.number]),
                reverse("statement_pdf", args=[statement.number]),
                read.due_cents,
                is_new=statement.pk not in opened,
            )


def _receipts(scope: Scope, year: int, person: Member | None) -> Iterator[Paper]:
    wanted = Wanted(person=person.pk if person else None, since=dt.date(year, 1, 1), until=dt.date(year, 12, 31))
    for row in history.page(scope, wanted, size=MAX_OF_KIND).rows:
        if row.payment.status in SETTLED:
            on = row.payment.effective_on or timezone.localtime(row.payment.created_at).date()
            yield Paper(
                Kind.RECEIPT,
                _("Receipt: %(what)s") % {"what": row.lines[0].title} if row.lines else _("Receipt"),
                row.payment.number,
                on,
                tuple(row.people),
                reverse("payment", args=[row.payment.number]),
                reverse("payment_pdf", args=[row.payment.number]),
                row.payment.amount_cents,
            )


def _explanations(scope: Scope, year: int, person: Member | None) -> Iterator[Paper]:
    """Of the claims in force, by the day of the service, to whom sees the services; none of a claim not decided yet."""
    claims = Claim.objects.visible_to(scope).filter(
        status=Claim.Status.ACTIVE, kind__in=explained_claims.Kind.values,
        service_on__range=(dt.date(year, 1, 1), dt.date(year, 12, 31)),
    )  # fmt: skip
    if person is not None:
        claims = claims.filter(member=person)
    for claim in claims.select_related("member").order_by("-service_on", "-pk")[:MAX_OF_KIND]:
        yield Paper(
            Kind.EXPLANATION,
            _("Explanation of benefits: %(what)s") % {"what": claim.provider_name}
            if claim.provider_name
            else _("Explanation of benefits"),
            claim.number,
            claim.service_on,
            (claim.member.shown_name,),
            reverse("claim", args=[claim.number]),
            reverse("claim_pdf", args=[claim.number]),
            claim.member_owes_cents,
        )


def _letters(scope: Scope, year: int, person: Member | None) -> Iterator[Paper]:
    ended = models.Q(status=GracePeriod.Status.ENDED, closed_on__year=year)
    periods = GracePeriod.objects.visible_to(scope).filter(models.Q(noticed_on__year=year) | ended)
    if person is not None:
        periods = periods.filter(coverage__subscriber=person)
    for grace in periods.select_related("coverage__subscriber").order_by("-noticed_on")[:MAX_OF_KIND]:
        letter, people = reverse("grace_letter", args=[grace.pk]), (grace.coverage.subscriber.full_name,)
        if grace.noticed_on.year == year:
            title = _("Notice of start of grace period")
            yield Paper(Kind.LETTER, title, "", grace.noticed_on, people, letter, letter, grace.due_cents)
        if grace.status == GracePeriod.Status.ENDED and grace.closed_on and grace.closed_on.year == year:
            end = f"{letter}?about=end"
            yield Paper(Kind.LETTER, _("Notice of end of coverage"), "", grace.closed_on, people, end, end)


def _agreements(scope: Scope, year: int, person: Member | None) -> Iterator[Paper]:
    """The agreements of payment plans that the viewer sees; of one person, of a plan with a bill of theirs."""
    agreements = PlanAgreement.objects.visible_to(scope).filter(accepted_at__year=year).select_related("plan")
    if person is not None:
        agreements = agreements.filter(plan__plan_bills__bill__member=person).distinct()
    for agreement in agreements.order_by("-accepted_at")[:MAX_OF_KIND]:
        yield _agreement(agreement)


def _statements_of(scope: Scope, bill: Bill) -> Iterator[Paper]:
    """Statements in which the viewer reads a row of the bill: not of one that is only shared."""
    if bill.member_id not in scope.member_ids:
        return
    listed = Statement.objects.visible_to(scope).filter(
        household_id=bill.household_id, issued_on__gte=bill.issued_on, content__bills__contains=[{"bill": bill.pk}]
    )
    for statement in listed.defer("content").order_by("-month")[:MAX_OF_BILL]:
        yield Paper(
            Kind.STATEMENT, _("Statement for %(month)s") % {"month": month_words(statement.month)}, statement.number,
            statement.issued_on, (), reverse("statement", args=[statement.number]),
            reverse("statement_pdf", args=[statement.number]),
        )  # fmt: skip


def _receipts_of(scope: Scope, bill: Bill) -> Iterator[Paper]:
    paid = Payment.objects.visible_to(scope).filter(allocations__bill=bill, status__in=SETTLED)
    for payment in paid.order_by("-pk")[:MAX_OF_BILL]:
        yield Paper(
            Kind.RECEIPT, _("Receipt"), payment.number,
            payment.effective_on or timezone.localtime(payment.created_at).date(), (),
            reverse("payment", args=[payment.number]), reverse("payment_pdf", args=[payment.number]),
            payment.amount_cents,
        )  # fmt: skip


def _agreements_of(scope: Scope, bill: Bill) -> Iterator[Paper]:
    of_it = PlanAgreement.objects.visible_to(scope).filter(plan__plan_bills__bill=bill).select_related("plan")
    for agreement in of_it.order_by("-accepted_at")[:MAX_OF_BILL]:
        yield _agreement(agreement)


def _agreement(agreement: PlanAgreement) -> Paper:
    paper = reverse("plan_agreement", args=[agreement.pk])
    return Paper(
        Kind.AGREEMENT, _("Payment plan agreement"), agreement.plan.number,
        timezone.localtime(agreement.accepted_at).date(), (), paper, paper, agreement.total_cents,
    )  # fmt: skip
