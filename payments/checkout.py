"""Paying by hand, in three steps: `begin` (amounts), `choose` (method), `confirm`. One payment is one charge.

A medical payment and a premium payment are never one charge: they go to different merchant categories, and pre-tax
cards take only the one (RULES section 2).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.visibility import Scope
from bills import numbers
from bills.models import Bill
from ledger.models import Account
from ledger.money import format_usd
from ledger.transactions import atomic_with_retry
from payments import (
    calendar,
    customers,
    declines,
    eligibility,
    gateway,
    legs,
    mandates,
    moving,
    readiness,
    refusing,
    retries,
    settlement,
)
from payments.allocating import bills_to_pay, payable_cents
from payments.mandates import Acceptance
from payments.models import Mandate, Payment, PaymentAllocation, PaymentMethod
from payments.provider import ChargeRequest, GatewayError, Refused, Unauthorized, Unknown
from payments.states import PaymentStatus

MIN_CENTS = 50  # docs.stripe.com/currencies: the least charge in US dollars
MAX_BILLS = 30
Refuse = Callable[[Payment], None]


class CheckoutError(Exception):
    """A payment that cannot be made as asked; its text tells the member why and what to do."""


class NothingToPay(CheckoutError):
    """No amount was given for any bill."""


class AmountExceedsPayable(CheckoutError):
    """More than is owed and not on its way already."""


class BelowMinimum(CheckoutError):
    """Less than the provider takes."""


class MixedKinds(CheckoutError):
    """Medical bills and premiums in one charge, or bills of two households."""


class TooManyBills(CheckoutError):
    """More bills than one charge may pay."""


class BillNotPayable(CheckoutError):
    """A bill that the viewer may not pay; it reads as one that does not exist."""


class ClientKeyReused(CheckoutError):
    """The client's key stands with other content (FAULTS A02)."""


class ProviderUnavailable(CheckoutError):
    """The provider cannot be reached; nothing was sent."""


class MandateMissing(CheckoutError):
    """A bank account would be debited without its owner's leave."""


class NotEligible(CheckoutError):
    """Pre-tax money for what it may not pay (payments.eligibility)."""


class NotADraft(CheckoutError):
    """The payment has been sent already, or no method has been chosen."""


def begin(
    scope: Scope,
    *,
    payer: User,
    amounts: Mapping[str, int],
    channel: str = Payment.Channel.WEB,
    client_key: str | None = None,
) -> Payment:
    """Draft a payment of `amounts`: US cents by bill number. Nothing is owed less and nothing is sent yet.

    Raises a CheckoutError that says what is wrong. The same client key with the same content returns the same payment.
    """
    wanted = {number: cents for number, cents in amounts.items() if cents}
    if not wanted or min(wanted.values()) < 0:
        raise NothingToPay(_("Choose at least one bill and an amount."))
    if len(wanted) > MAX_BILLS:
        raise TooManyBills(_("Pay at most %(count)d bills at a time.") % {"count": MAX_BILLS})
    # First: once it is on its way or paid, its bills would refuse the very payment that is asked for (FAULTS A01, A08).
    if client_key and (standing := Payment.objects.filter(payer=payer, client_key=client_key).first()):
        return _same_content(standing, wanted)
    return draft(_payable_bills(scope, list(wanted)), wanted, payer=payer, channel=channel, client_key=client_key)


def draft(
    bills: list[Bill],
    wanted: Mapping[str, int],
    *,
    payer: User | None,
    channel: str,
    client_key: str | None = None,
) -> Payment:
    """Draft a payment of bills that the payer may pay, a guest too, who is no user. `wanted`: US cents by number.

    Raises MixedKinds, AmountExceedsPayable, BelowMinimum, ClientKeyReused.
    """
    if len({(bill.kind, bill.household_id) for bill in bills}) > 1:
        raise MixedKinds(_("Medical bills and premiums are charged separately. Pay the one first, then the other."))
    _refuse_excess(bills, wanted)
    total = sum(wanted.values())
    if total < MIN_CENTS:
        raise BelowMinimum(_("The least you can pay is %(amount)s.") % {"amount": format_usd(MIN_CENTS)})
    try:
        with transaction.atomic():
            payment = Payment.objects.create(
                number=numbers.draw(groups=3),
                household_id=bills[0].household_id,
                payer=payer,
                kind=bills[0].kind,
                channel=channel,
                amount_cents=total,
                client_key=client_key,
            )
            PaymentAllocation.objects.bulk_create(
                PaymentAllocation(payment=payment, bill=bill, amount_cents=wanted[bill.number]) for bill in bills
            )
    except IntegrityError:
        if not client_key or payer is None:
            raise
        return _same_content(Payment.objects.get(payer=payer, client_key=client_key), wanted)
    return payment


def choose(
    payment: Payment, *, method: PaymentMethod | None = None, confirmation_token: str = "", saves_method: bool = False,
    consent_address: str | None = None, consent_version: str = "", label: str = "", attestation: str = "",
) -> Payment:  # fmt: skip
    """Choose the method of a draft: a saved one, or what the browser's confirmation token names, `label`led HSA or FSA.

    Raises NotADraft, NotEligible (pre-tax money for what it may not pay), provider.Refused (a token that is not ours or
    used up), provider.Unknown, ValueError (neither).
    """
    if method is not None:
        chosen = {
            "method": method, "confirmation_token": "", "saves_method": False, "method_kind": method.kind,
            "method_brand": method.brand, "method_last4": method.last4, "method_wallet": method.wallet,
            "method_label": method.label,
        }  # fmt: skip
    elif confirmation_token:
        summary = gateway.token_summary(confirmation_token)
        chosen = {
            "method": None, "confirmation_token": confirmation_token, "saves_method": saves_method,
            "method_kind": summary.kind, "method_brand": summary.brand, "method_last4": summary.last4,
            "method_wallet": summary.wallet, "consent_address": consent_address, "consent_version": consent_version,
            "method_label": label if summary.kind == PaymentMethod.Kind.CARD else "",
        }  # fmt: skip
    else:
        raise ValueError("a method or a confirmation token")
    _keep_choice(payment.pk, {**chosen, "attestation": attestation if chosen["method_label"] else ""})
    payment.refresh_from_db()
    return payment


@atomic_with_retry
@transaction.atomic  # a refusal keeps nothing, also inside a caller's transaction
def _keep_choice(payment_id: int, chosen: Mapping[str, Any]) -> None:
    """Keep the choice, and what it changes for those that share the checkout; or nothing, where it is refused."""
    _locked(payment_id)
    if not Payment.objects.filter(pk=payment_id, status=PaymentStatus.DRAFT).update(**chosen):
        raise NotADraft(_("This payment has been sent already."))
    shared = _locked(payment_id)
    legs.share_out(shared)
    if reason := eligibility.why_not(shared):
        raise NotEligible(reason)


def confirm(payment: Payment, *, acceptance: Acceptance | None = None, refuse: Refuse | None = None) -> Payment:
    """Send a draft, once: whatever is clicked twice returns the payment as it stands (FAULTS A01, I11).

    What several methods share is sent together: all of it is submitted, or nothing is.

    A bank account that is not a saved one needs the `acceptance` of the mandate that was shown
    (`mandates.text_for_payment`). `refuse` raises where its payer has no longer leave to pay: asked in the transaction
    that submits it (FAULTS F31). Raises CheckoutError where the bills can no longer take it; it then stays a draft.
    Whatever the provider answers, or does not, is in the status of what is returned: `submitted` means that it is not
    known yet.
    """
    if payment.status == PaymentStatus.DRAFT:
        try:
            for leg in legs.of(payment):
                customers.ensure_for(leg)  # before the transaction: it may ask the provider
        except GatewayError as error:
            raise ProviderUnavailable(str(declines.CANNOT_PAY_NOW)) from error
    # One that fails leaves the others right: each is sent, and what is never sent for a crash the sweeper sends.
    sent = [send(leg) for leg in _submit(payment.pk, acceptance, refuse)]
    return next((leg for leg in sent if leg.pk == payment.pk), moving.current(payment.pk))


def send(payment: Payment) -> Payment:
    """Make the call of the payment's present attempt and apply what comes back; unknown, it stays as it is."""
    try:
        return transmit(payment)
    except Unknown:
        return moving.current(payment.pk)


def transmit(payment: Payment) -> Payment:
    """Make the call of the payment's present attempt and apply what comes back. Safe to repeat: the key is the row's.

    Raises provider.Unknown, and provider.ServerError where the provider answered 5xx.
    """
    try:
        intent = gateway.charge(_request(payment))
    except (Unauthorized, Refused) as error:
        return refusing.refused(payment, error)
    return settlement.apply(payment.pk, intent)


def abandon(payment: Payment, *, actor: str) -> Payment:
    """End a payment that waits for its payer (3-D Secure left open), so that the bill can be paid again (FAULTS B16).

    The provider cancels first; where it says that the money has moved after all, that is what is applied.
    """
    if payment.status == PaymentStatus.DRAFT:
        return moving.move(payment.pk, PaymentStatus.CANCELED, actor=actor, failure_code="abandoned")
    if payment.status != PaymentStatus.REQUIRES_ACTION or not payment.stripe_payment_intent_id:
        return payment
    try:
        intent = gateway.cancel(payment.stripe_payment_intent_id)
    except Refused:
        intent = gateway.intent(payment.stripe_payment_intent_id)
    except Unknown:
        return moving.current(payment.pk)
    return settlement.apply(payment.pk, intent, actor=actor)


@atomic_with_retry
def _submit(payment_id: int, acceptance: Acceptance | None = None, refuse: Refuse | None = None) -> list[Payment]:
    """Commit the attempt and its key of every leg at once, under the locks of the bills. None: somebody has done so."""
    shared = _locked(payment_id)
    if any(leg.status != PaymentStatus.DRAFT for leg in shared):
        return []
    for leg in shared:
        refuse_unready(leg)
        if mandates.is_needed(leg):
            if acceptance is None:
                raise MandateMissing(_("Read and agree to the authorization for your bank account first."))
            mandates.accept_payment(leg, acceptance)
    wanted = legs.wanted_cents(shared)
    bills = held_bills(wanted)
    if refuse is not None:
        for leg in shared:
            refuse(leg)
    _refuse_excess(bills, {bill.number: wanted[bill.pk] for bill in bills}, but=payment_id)
    if reason := eligibility.why_not(shared):
        raise NotEligible(reason)
    return [submitted(leg) for leg in shared]


def held_bills(bill_ids: Iterable[int]) -> list[Bill]:
    """Bills, and their receivables locked in one order until the end of the transaction."""
    receivables = list(Bill.objects.filter(pk__in=bill_ids).values_list("receivable_id", flat=True))
    list(Account.objects.select_for_update().filter(pk__in=receivables).order_by("pk"))
    return list(Bill.objects.filter(pk__in=bill_ids).select_related("receivable"))


def refuse_unready(payment: Payment) -> None:
    """Raise NotADraft where no method is chosen, or where the saved one can no longer pay for this payer."""
    if payment.scheduled_on is not None and payment.scheduled_on > timezone.localdate():
        raise NotADraft(_("This payment is scheduled. It is sent on its day."))
    if payment.method_id is None and not payment.confirmation_token:
        raise NotADraft(_("Choose how to pay first."))
    if payment.method is not None and (refusal := readiness.why_not(payment.method, payment.payer)):
        raise NotADraft(refusal)


def submitted(payment: Payment) -> Payment:
    """Commit the first attempt and its key, in the caller's transaction and under its locks."""
    attempt = first_attempt(payment.kind, payment.method_kind)
    if payment.effective_on is not None:
        attempt["effective_on"] = payment.effective_on
    actor = f"user:{payment.payer_id}" if payment.payer_id else "guest"
    return moving.move(payment.pk, PaymentStatus.SUBMITTED, actor=actor, **attempt)


def first_attempt(kind: str, method_kind: str) -> dict[str, Any]:
    """What is kept of a payment when it is submitted at this moment."""
    now = timezone.now()
    today = timezone.localdate(now)
    is_bank_debit = method_kind == PaymentMethod.Kind.BANK_ACCOUNT
    return {
        "attempt": 1,
        "submitted_at": now,
        "asked_at": now,
        "effective_on": today,
        "expected_on": calendar.expected_posting(kind, today, is_bank_debit=is_bank_debit),
    }


def _locked(payment_id: int) -> list[Payment]:
    try:
        return legs.locked(payment_id)
    except legs.Changed as error:
        raise NotADraft(_("This payment was changed in another window. Look at it again.")) from error


def return_path(payment: Payment) -> str:
    """Where the bank sends the payer's browser back to."""
    name = "guest_return" if payment.channel == Payment.Channel.GUEST else "payment_return"
    return reverse(name, args=[payment.number])


def _request(payment: Payment) -> ChargeRequest:
    return ChargeRequest(
        key=payment.idempotency_key,
        amount_cents=payment.amount_cents,
        payment_number=payment.number,
        customer_id=customers.known(payment),
        descriptor_suffix=settings.STRIPE_DESCRIPTORS[payment.kind],
        return_url=settings.PORTAL_URL + return_path(payment),
        method_id=payment.method.stripe_id if payment.method is not None else "",
        confirmation_token=payment.confirmation_token,
        saves_method=payment.saves_method,
        is_off_session=payment.channel in moving.OFF_SESSION or payment.scheduled_on is not None,
        attempt=payment.attempt,
        method_kind=payment.method_kind,
        statement=retries.DESCRIPTOR if payment.retry_of_id is not None else "",
        accepted=mandates.accepted(Mandate.objects.filter(payment=payment).first()),
    )


def _payable_bills(scope: Scope, bill_numbers: list[str]) -> list[Bill]:
    """The bills of these numbers that the viewer may pay. Raises BillNotPayable where one is not among them."""
    found = list(bills_to_pay(scope).filter(number__in=bill_numbers))
    if len(found) < len(set(bill_numbers)):
        raise BillNotPayable(_("One of these bills can no longer be paid. Go back to your bills and choose again."))
    return sorted(found, key=lambda bill: bill_numbers.index(bill.number))


def _refuse_excess(bills: list[Bill], wanted: Mapping[str, int], *, but: int | None = None) -> None:
    payable = payable_cents(bills, but=but)
    for bill in bills:
        if wanted[bill.number] > (left := payable[bill.pk]):
            if left == 0:
                raise AmountExceedsPayable(
                    _("Bill %(number)s is paid already, or a payment of it is on its way.") % {"number": bill.number}
                )
            raise AmountExceedsPayable(
                _("Bill %(number)s: at most %(amount)s can be paid.")
                % {"number": bill.number, "amount": format_usd(left)}
            )


def _same_content(payment: Payment, wanted: Mapping[str, int]) -> Payment:
    standing = dict(payment.allocations.values_list("bill__number", "amount_cents"))
    if standing != dict(wanted):
        raise ClientKeyReused(_("This request was already used for another payment."))
    return payment
