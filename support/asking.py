"""Asking Member Services: what a question may be about, who may ask, and the hold that it puts on its bill."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Member, Upload, User
from accounts.visibility import Scope
from activity.recording import open_work, record
from bills import explained_claims, holds, issuing, numbers
from bills.check_words import CAUSES
from bills.checking import Flag
from bills.models import Bill, Claim, Hold
from payments.models import Payment
from support import clock
from support.models import Inquiry, Message

WORK = "inquiry"  # activity.models.WorkItem.Kind
MOST_UNSETTLED = 50  # of one person at a time: beyond, they are to call


class TooManyQuestions(Exception):
    """The person has MOST_UNSETTLED questions that are not settled."""


@dataclass(frozen=True, slots=True)
class About:
    """What a question is about, as far as the asker sees it; nothing of all: the member alone."""

    member: Member
    bill: Bill | None = None
    claim: Claim | None = None
    payment: Payment | None = None

    @property
    def can_hold(self) -> bool:
        """Whether there is a bill that something is owed on."""
        return self.bill is not None and self.bill.voided_at is None and self.bill.balance_cents > 0


def about(scope: Scope, *, bill: str = "", claim: str = "", payment: str = "") -> About | None:
    """What these numbers name, where the viewer sees it; None where they name nothing the viewer sees."""
    if "\0" in bill + claim + payment:
        return None
    if bill:
        found = Bill.objects.visible_to(scope).filter(number=bill).select_related("coverage__plan").first()
        return About(found.member, bill=found) if found else None
    if claim:
        named = explained_claims.named(Claim.objects.visible_to(scope), claim)
        return About(named.member, claim=named) if named else None
    if payment:
        paid = Payment.objects.visible_to(scope).filter(number=payment).first()
        seen = Member.objects.visible_to(scope)
        whose = seen.filter(bills__allocations__payment=paid).order_by("pk").first() if paid else None
        return About(whose, payment=paid) if whose else None
    mine = Member.objects.visible_to(scope).filter(Q(pk__in=scope.own_ids) | Q(pk__in=scope.grants))
    member = mine.select_related("household").order_by("-is_primary_holder", "pk").first()
    return About(member) if member else None


def may_hold(scope: Scope, subject: About) -> bool:
    """Whether the asker may let the bill wait: who may pay it may. A delegate who may only look may ask."""
    return subject.can_hold and _may_pay(scope, subject.member.pk)


def may_close(scope: Scope, inquiry: Inquiry) -> bool:
    """Whether a reader may settle a question: one that lets its bill wait only the asker, or who may pay the bill."""
    is_theirs = inquiry.asked_by_id == scope.user_id or _may_pay(scope, inquiry.member_id)
    return is_theirs or not Hold.objects.standing().filter(reference=inquiry.reference).exists()


def _may_pay(scope: Scope, member_id: int) -> bool:
    return member_id in scope.payable_ids or member_id in scope.confidential_ids


@transaction.atomic
def ask(
    subject: About,
    *,
    by: User,
    topic: str,
    text: str,
    form_key: str,
    flag: str = "",
    holds_bill: bool = False,
    upload: Upload | None = None,
) -> Inquiry:
    """Open a question, once for the form's key; hold its bill where that is wished. Raises TooManyQuestions.

    `upload`, a file of the asker's, goes with the first message.
    """
    User.objects.select_for_update().get(pk=by.pk)  # the same form, sent at the same moment
    standing = Inquiry.objects.filter(asked_by=by, form_key=form_key).first()
    if standing is not None:
        return standing
    if Inquiry.objects.filter(asked_by=by).unsettled().count() >= MOST_UNSETTLED:
        raise TooManyQuestions(f"{MOST_UNSETTLED} questions are not settled")
    inquiry = Inquiry.objects.create(
        number=numbers.draw(), topic=topic, flag=flag, household_id=subject.member.household_id, member=subject.member,
        asked_by=by, bill=subject.bill, claim=subject.claim, payment=subject.payment, form_key=form_key,
        charged_cents=issuing.asked_cents(subject.bill) if subject.bill else None,
        due_at=clock.due_at(timezone.now()),
    )  # fmt: skip
    message = Message.objects.create(inquiry=inquiry, author=by, text=text, upload=upload)
    if holds_bill and subject.bill is not None:
        holds.begin(subject.bill, cause=cause_of(topic, flag), reference=inquiry.reference, by=by)
    record(
        "inquiry.opened", subject=f"inquiry:{inquiry.number}", owner_id=inquiry.household_id, actor=f"user:{by.pk}",
        to_status=inquiry.status, inquiry_id=inquiry.pk,
    )  # fmt: skip
    wait_for_staff(inquiry, message)
    return inquiry


def cause_of(topic: str, flag: str) -> Hold.Cause:
    """Why the bill of a question waits: by what the bill check found, else by what was asked."""
    if flag in list(Flag):
        return CAUSES[Flag(flag)]
    return Hold.Cause.DISPUTE if topic == Inquiry.Topic.WRONG else Hold.Cause.QUESTION


def wait_for_staff(inquiry: Inquiry, message: Message) -> None:
    """Put a message that staff are to answer into the queue of work."""
    open_work(
        WORK, subject=f"inquiry:{inquiry.number}", dedupe_key=work_key(message), due_at=inquiry.due_at,
        detail=f"{Inquiry.Topic(inquiry.topic).label}. Due within {settings.SUPPORT_ANSWER_DAYS} business days.",
    )  # fmt: skip


def work_key(message: Message) -> str:
    """The key of a message's work item."""
    return f"inquiry:{message.inquiry_id}:{message.pk}"
