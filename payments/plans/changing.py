"""Changing a plan that runs: the day, the number or the amount, another bill, the method; and ending it.

What is spread anew is read and signed again, as at first. What is paid or on its way stays; an instalment that is being
charged holds up a change until it has gone out.
"""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.visibility import Scope
from bills.models import Bill
from ledger.transactions import atomic_with_retry
from payments import readiness
from payments.models import Installment, PaymentMethod, PaymentPlan
from payments.plans import agreeing, agreements, offering, pausing, respreading, standing, terms
from payments.plans.agreeing import BillUnfit, Draft, Signing
from payments.plans.spreading import Part
from payments.plans.standing import Standing
from payments.plans.terms import Choice, TermsRefused


class ChangeRefused(TermsRefused):
    """A change that cannot be made to this plan, or not now."""


def draft(scope: Scope, plan: PaymentPlan, choice: Choice, added: Sequence[str] = ()) -> Draft:
    """The plan as it would be agreed to anew: what is left of it and of the bills added. Raises TermsRefused."""
    return _draft(plan, standing.of(plan), choice, _added(scope, plan, added))


def left_cents(plan: PaymentPlan, added: Sequence[Bill] = ()) -> int:
    """What a change spreads anew, US cents: what is owed and not on its way, and the bills added."""
    return standing.of(plan).left_cents + sum(bill.balance_cents for bill in added)


@atomic_with_retry
@transaction.atomic  # a refusal keeps nothing, also inside a caller's transaction
def apply(
    scope: Scope, plan: PaymentPlan, choice: Choice, signing: Signing, *, added: Sequence[str] = ()
) -> PaymentPlan:
    """Spread anew what is left, and the bills added, as it was read and signed. Raises TermsRefused."""
    plan = respreading.locked(plan)
    if plan.agreements.exists() and _is_signed(plan, signing):
        return plan  # the form was sent twice
    joining = _added(scope, plan, added)
    agreeing.lock_bills([bill.pk for bill in joining])
    joining = _added(scope, plan, added)
    where = standing.of(plan)
    _refuse_unchangeable(where)
    with translation.override(signing.acceptance.language):
        made = _draft(plan, where, choice, joining)
    agreeing.refuse_unsigned(made, signing)
    try:
        agreeing.put_on(plan, joining)
    except IntegrityError as error:
        raise BillUnfit(_("One of these bills has just joined another payment plan.")) from error
    respreading.write(plan, [*_kept(where), *made.terms.parts])
    PaymentPlan.objects.filter(pk=plan.pk).update(
        day_of_month=choice.day, missed_since=None, noticed_on=None,
        cured_on=timezone.localdate() if plan.missed_since else None,
    )  # fmt: skip
    agreeing.keep(plan, made, signing, at=timezone.now())
    agreeing.say("plan.changed", plan, actor=f"user:{plan.owner_id}")
    plan.refresh_from_db()
    return plan


def use_method(plan: PaymentPlan, method: PaymentMethod | None) -> None:
    """Let another method be suggested at the checkout, or none. Raises ChangeRefused for one that cannot pay."""
    if method is not None and (reason := readiness.why_not(method, plan.owner)):
        raise ChangeRefused(reason)
    PaymentPlan.objects.running().filter(pk=plan.pk).update(method=method)


@atomic_with_retry
def end(plan: PaymentPlan, *, by: User) -> None:
    """End a plan: its bills are due on their own dates again. Raises ChangeRefused."""
    plan = respreading.locked(plan)
    if plan.status != PaymentPlan.Status.ACTIVE:
        raise ChangeRefused(_("This plan has ended."))
    pausing.refuse_while_charged(standing.of(plan))
    respreading.close(plan, PaymentPlan.Status.ENDED, code="member")
    agreeing.say("plan.ended", plan, actor=f"user:{by.pk}")


def _added(scope: Scope, plan: PaymentPlan, numbers: Sequence[str]) -> list[Bill]:
    """The bills that would join. Raises BillUnfit."""
    if not numbers:
        return []
    found = offering.candidates(scope, numbers)
    if len(found) < len(set(numbers)) or any(each.bill.household_id != plan.household_id for each in found):
        raise BillUnfit(_("One of these bills can no longer join a payment plan. Choose again."))
    for each in found:
        if each.reason:
            raise BillUnfit(f"{each.bill.number}: {each.reason}")
    return [each.bill for each in found]


def _refuse_unchangeable(where: Standing) -> None:
    if where.plan.status != PaymentPlan.Status.ACTIVE:
        raise ChangeRefused(_("This plan has ended."))
    if pausing.reason_of(where) not in (PaymentPlan.Pause.NONE, PaymentPlan.Pause.HARDSHIP):
        raise ChangeRefused(_("This plan is paused. It can be changed once that is decided."))
    pausing.refuse_while_charged(where)


def _draft(plan: PaymentPlan, where: Standing, choice: Choice, joining: Sequence[Bill]) -> Draft:
    _refuse_unchangeable(where)
    today = timezone.localdate()
    left = {bill.number: bill.balance_cents - where.waiting[bill.pk] for bill in where.bills}
    owed = [(number, cents) for number, cents in left.items() if cents > 0]
    owed += [(bill.number, bill.balance_cents) for bill in joining]
    if not owed:
        raise ChangeRefused(_("All of it is on its way. You do not need to pay again."))
    kept = _kept(where)
    first = kept[-1].position + 1 if kept else 1
    made = terms.made(
        plan.policy, [cents for _number, cents in owed], choice, today=today, first_position=first, is_change=True
    )
    party = agreeing.party_of(plan.owner, plan.household)
    return Draft(tuple(joining), made, party, agreements.text_for(made, party, owed=owed, today=today))


def _kept(where: Standing) -> list[Part]:
    """What is paid of the instalments, or on its way: one that is paid in part ends at that part."""
    return [
        Part(line.installment.position, line.installment.due_on, line.covered_cents)
        for line in where.lines
        if line.covered_cents
    ]


def _is_signed(plan: PaymentPlan, signing: Signing) -> bool:
    texts = plan.agreements.values_list("text", flat=True)
    fresh = Installment.objects.standing().filter(plan=plan).exists()
    return fresh and any(agreements.digest(text) == signing.digest for text in texts)
