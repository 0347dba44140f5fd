"""Signing a plan: under the locks of its bills it is looked at again, and stands whole or not at all."""

import datetime as dt
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Household, User
from accounts.visibility import Scope
from activity.doorbell import ring
from activity.recording import record
from bills import history, numbers
from bills.models import Bill
from ledger.transactions import atomic_with_retry
from payments.checkout import held_bills
from payments.mandates import MAX_AGENT, Acceptance
from payments.models import (
    AutopayCharge,
    Installment,
    PaymentMethod,
    PaymentPlan,
    PlanAgreement,
    PlanBill,
    PlanPolicy,
)
from payments.plans import agreements, offering, policies, terms
from payments.plans.agreements import Party
from payments.plans.terms import Choice, Terms, TermsRefused

MAX_NAME = 120


class BillUnfit(TermsRefused):
    """A bill may not join: it is gone, on a plan, under review, paid, or its money is on its way."""


class TermsChanged(TermsRefused):
    """What was read is no longer what would be agreed to: to be read again."""


class TextMissing(TermsRefused):
    """The state's law asks for a text that the agreement lacks: nothing is agreed to."""


class NotSigned(TermsRefused):
    """The signature is missing or is not the reader's name."""


@dataclass(frozen=True, slots=True)
class Signing:
    """A signature, and the digest of the words above it; `acceptance` says from where and in which language."""

    name: str
    digest: str
    acceptance: Acceptance


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan as it would be agreed to now: its bills, terms and words."""

    bills: tuple[Bill, ...]
    terms: Terms
    party: Party
    text: str

    @property
    def digest(self) -> str:
        """What names its words."""
        return agreements.digest(self.text)


def draft(
    scope: Scope, owner: User, bill_numbers: Sequence[str], choice: Choice, *, at: dt.datetime | None = None
) -> Draft:
    """The plan of these bills and terms as it would be agreed to now. Raises TermsRefused."""
    return _draft(_fit(scope, bill_numbers), owner, choice, timezone.localdate(at))


def accept(
    scope: Scope, owner: User, bill_numbers: Sequence[str], choice: Choice, signing: Signing,
    *, method: PaymentMethod | None = None, at: dt.datetime | None = None,
) -> PaymentPlan:  # fmt: skip
    """Agree to a plan. The same form sent twice gives the plan that stands. Raises TermsRefused.

    `at` is when it was signed, where that was not now: of a plan that is taken over.
    """
    if (standing := _same(owner, bill_numbers, signing.digest)) is not None:
        return standing
    try:
        return _accept(scope, owner, bill_numbers, choice, signing, method, at or timezone.now())
    except IntegrityError as error:
        if "payments_planbill_one_plan_at_a_time" not in str(error):
            raise
        raise BillUnfit(_("One of these bills has just joined another payment plan.")) from error


@atomic_with_retry
@transaction.atomic  # a refusal keeps nothing, also inside a caller's transaction
def _accept(
    scope: Scope, owner: User, bill_numbers: Sequence[str], choice: Choice, signing: Signing,
    method: PaymentMethod | None, at: dt.datetime,
) -> PaymentPlan:  # fmt: skip
    lock_bills(offering.bills_to_plan(scope).filter(number__in=bill_numbers).values_list("pk", flat=True))
    with translation.override(signing.acceptance.language):
        made = _draft(_fit(scope, bill_numbers), owner, choice, timezone.localdate(at))
    refuse_unsigned(made, signing)
    plan = PaymentPlan.objects.create(
        number=numbers.draw(groups=3), household=made.bills[0].household, owner=owner, policy=made.terms.policy,
        day_of_month=choice.day, method=method,
    )  # fmt: skip
    put_on(plan, made.bills)
    Installment.objects.bulk_create(
        Installment(plan=plan, position=part.position, due_on=part.due_on, amount_cents=part.amount_cents)
        for part in made.terms.parts
    )
    keep(plan, made, signing, at=at)
    say("plan.agreed", plan, actor=f"user:{owner.pk}")
    return plan


def lock_bills(bill_ids: Collection[int]) -> None:
    """Lock bills, then what they owe, in one order, until the end of the transaction."""
    ids = list(bill_ids)
    list(Bill.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    held_bills(ids)


def put_on(plan: PaymentPlan, bills: Sequence[Bill]) -> None:
    """Put bills on a plan, in the caller's transaction and under its locks; what was announced of them is not charged.

    Raises IntegrityError where one is on another plan.
    """
    paid, now = history.paid_cents(bills), timezone.now()
    PlanBill.objects.bulk_create(
        PlanBill(plan=plan, bill=bill, amount_cents=bill.balance_cents, paid_before_cents=paid.get(bill.pk, 0))
        for bill in bills
    )
    Bill.objects.filter(pk__in=[bill.pk for bill in bills]).update(on_plan_since=now)
    waiting = (AutopayCharge.Status.ANNOUNCED, AutopayCharge.Status.ASKED)
    AutopayCharge.objects.filter(bill__in=bills, status__in=waiting).update(
        status=AutopayCharge.Status.NOT_NEEDED, code="on_plan"
    )


def refuse_unsigned(made: Draft, signing: Signing) -> None:
    """Raise TermsRefused unless the words that stand were signed by the one who reads them, with the state's text."""
    if signing.digest != made.digest:
        raise TermsChanged(_("Something changed since you read this. Read it again, then sign."))
    if not _is_name(signing.name, made.party.name):
        raise NotSigned(_("Type your name as it stands here: %(name)s") % {"name": made.party.name})
    refuse_without_text(made.terms.policy, made.text)


def refuse_without_text(policy: PlanPolicy, text: str) -> None:
    """Raise TextMissing where the law asks for a text and the agreement has none, or another (Civ. Code 1785.27)."""
    if policy.needs_text and (not policy.required_text or policy.required_text not in text):
        raise TextMissing(_("A payment plan cannot be set up here at the moment. Please call Member Services."))


def keep(plan: PaymentPlan, made: Draft, signing: Signing, *, at: dt.datetime) -> PlanAgreement:
    """Keep what was agreed to, word for word."""
    return PlanAgreement.objects.create(
        plan=plan, text=made.text, version=agreements.VERSION, policy_version=made.terms.policy.version,
        state=plan.household.state, required_text=made.terms.policy.required_text, total_cents=made.terms.total_cents,
        language=signing.acceptance.language, signature=signing.name.strip()[:MAX_NAME], accepted_at=at,
        address=signing.acceptance.address, user_agent=signing.acceptance.user_agent[:MAX_AGENT],
    )  # fmt: skip


def say(kind: str, plan: PaymentPlan, *, actor: str = "system", **data: Any) -> None:
    """Record what happened to a plan, and let its owner be told."""
    record(kind, subject=f"plan:{plan.number}", owner_id=plan.household_id, actor=actor, plan_id=plan.pk, **data)
    ring("notifications.tasks.work_off")


def party_of(owner: User, household: Household) -> Party:
    """Who signs: by the name of their membership, a delegate of elsewhere by their address."""
    member = owner.members.order_by("pk").first()
    name = " ".join(member.full_name.split()) if member is not None else owner.email
    return Party(name, household.number, household.state)


def _fit(scope: Scope, bill_numbers: Sequence[str]) -> list[Bill]:
    """The bills of these numbers. Raises BillUnfit where one is not there or may not join."""
    found = offering.candidates(scope, bill_numbers)
    if not bill_numbers or len(found) < len(set(bill_numbers)):
        raise BillUnfit(_("One of these bills can no longer join a payment plan. Choose again."))
    for candidate in found:
        if candidate.reason:
            raise BillUnfit(f"{candidate.bill.number}: {candidate.reason}")
    if len({candidate.bill.household_id for candidate in found}) > 1:
        raise BillUnfit(_("A plan is for the bills of one household."))
    return sorted((candidate.bill for candidate in found), key=lambda bill: (bill.due_on, bill.pk))


def _draft(bills: Sequence[Bill], owner: User, choice: Choice, today: dt.date) -> Draft:
    household = bills[0].household
    policy = policies.for_state(household.state, on=today)
    agreed = terms.made(policy, [bill.balance_cents for bill in bills], choice, today=today)
    party = party_of(owner, household)
    owed = [(bill.number, bill.balance_cents) for bill in bills]
    return Draft(tuple(bills), agreed, party, agreements.text_for(agreed, party, owed=owed, today=today))


def _same(owner: User, bill_numbers: Sequence[str], digest: str) -> PaymentPlan | None:
    """The running plan of these bills to which the owner agreed with the same words: the form was sent twice."""
    plans = PaymentPlan.objects.running().filter(owner=owner, plan_bills__bill__number__in=bill_numbers).distinct()
    for plan in plans:
        if any(agreements.digest(text) == digest for text in plan.agreements.values_list("text", flat=True)):
            return plan
    return None


def _is_name(written: str, name: str) -> bool:
    def plain(text: str) -> str:
        return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

    return bool(plain(written)) and plain(written) == plain(name)
