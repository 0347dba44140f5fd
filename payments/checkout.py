"""Paying by hand, in three steps: `begin` (amounts), `choose` (method), `confirm`. One payment is one charge.

A medical payment and a premium payment are never one charge: they go to different merchant categories, and pre-tax
cards take only the one (RULES section 2).
"""

from collections.abc import Mapping

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.visibility import Scope
from activity.recording import open_work
from bills import numbers
from bills.models import Bill
from ledger.models import Account
from ledger.money import format_usd
from ledger.transactions import atomic_with_retry
from payments import calendar, customers, declines, gateway, moving, settlement
from payments.allocating import bills_to_pay, payable_cents
from payments.models import Payment, PaymentAllocation, PaymentMethod
from payments.provider import ChargeRequest, GatewayError, KeyReused, Refused, Unauthorized, Unknown
from payments.states import PaymentStatus

MIN_CENTS = 50  # docs.stripe.com/currencies: the least charge in US dollars
MAX_BILLS = 30
OFF_SESSION = (Payment.Channel.AUTOPAY, Payment.Channel.PLAN)
DESCRIPTORS = {Bill.Kind.MEDICAL: "MEDICAL", Bill.Kind.PREMIUM: "PREMIUM"}


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
    bills = _payable_bills(scope, list(wanted))
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
        if not client_key:
            raise
        return _same_content(Payment.objects.get(payer=payer, client_key=client_key), wanted)
    return payment


def choose(
    payment: Payment, *, method: PaymentMethod | None = None, confirmation_token: str = "", saves_method: bool = False,
    consent_address: str | None = None, consent_version: str = "",
) -> Payment:  # fmt: skip
    """Choose the method of a draft: a saved one, or what the browser's confirmation token names.

    Raises NotADraft, provider.Refused (a token that is not ours or used up), provider.Unknown, ValueError (neither).
    """
    if method is not None:
        chosen = {
            "method": method, "confirmation_token": "", "saves_method": False, "method_kind": method.kind,
            "method_brand": method.brand, "method_last4": method.last4, "method_wallet": method.wallet,
        }  # fmt: skip
    elif confirmation_token:
        summary = gateway.token_summary(confirmation_token)
        chosen = {
            "method": None, "confirmation_token": confirmation_token, "saves_method": saves_method,
            "method_kind": summary.kind, "method_brand": summary.brand, "method_last4": summary.last4,
            "method_wallet": summary.wallet, "consent_address": consent_address, "consent_version": consent_version,
        }  # fmt: skip
    else:
        raise ValueError("a method or a confirmation token")
    if not Payment.objects.filter(pk=payment.pk, status=PaymentStatus.DRAFT).update(**chosen):
        raise NotADraft(_("This payment has been sent already."))
    payment.refresh_from_db()
    return payment


def confirm(payment: Payment) -> Payment:
    """Send a draft, once: whatever is clicked twice returns the payment as it stands (FAULTS A01, I11).

    Raises CheckoutError where the bills can no longer take it; it then stays a draft. Whatever the provider answers,
    or does not, is in the status of what is returned: `submitted` means that it is not known yet.
    """
    if payment.status == PaymentStatus.DRAFT and payment.payer is not None:
        try:
            customers.ensure(payment.payer)  # before the transaction: it may ask the provider
        except GatewayError as error:
            raise ProviderUnavailable(str(declines.CANNOT_PAY_NOW)) from error
    payment, is_mine = _submit(payment.pk)
    return send(payment) if is_mine else payment


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
    except Unauthorized:
        report_unauthorized(f"payment:{payment.number}")
        return moving.current(payment.pk)
    except KeyReused as error:
        open_work(
            "payment_conflict",
            subject=f"payment:{payment.number}",
            dedupe_key=f"key-reused:{payment.idempotency_key}",
            detail=f"The idempotency key {payment.idempotency_key} stands with other parameters ({error.code}).",
        )
        return moving.current(payment.pk)
    except Refused as error:
        return settlement.refuse(payment.pk, error)
    return settlement.apply(payment.pk, intent)


def report_unauthorized(subject: str) -> None:
    """Open a work item, one a day, for a key of ours that the provider refuses (FAULTS B10)."""
    open_work(
        "payment_unknown",
        subject=subject,
        dedupe_key=f"unauthorized:{timezone.localdate()}",
        detail="The provider refused our key. Nothing can be charged until it is renewed.",
    )


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
def _submit(payment_id: int) -> tuple[Payment, bool]:
    """Commit the attempt and its key, under the locks of its bills. False: somebody has done so already."""
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.status != PaymentStatus.DRAFT:
        return payment, False
    if payment.method_id is None and not payment.confirmation_token:
        raise NotADraft(_("Choose how to pay first."))
    if payment.method is not None and payment.method.removed_at is not None:
        raise NotADraft(_("That payment method was removed. Choose another."))
    wanted = dict(payment.allocations.values_list("bill_id", "amount_cents"))
    receivables = list(Bill.objects.filter(pk__in=wanted).values_list("receivable_id", flat=True))
    list(Account.objects.select_for_update().filter(pk__in=receivables).order_by("pk"))
    bills = list(Bill.objects.filter(pk__in=wanted).select_related("receivable"))
    _refuse_excess(bills, {bill.number: wanted[bill.pk] for bill in bills}, but=payment.pk)
    now = timezone.now()
    today = timezone.localdate(now)
    moved = moving.move(
        payment.pk,
        PaymentStatus.SUBMITTED,
        actor=f"user:{payment.payer_id}",
        attempt=1,
        submitted_at=now,
        asked_at=now,
        effective_on=payment.effective_on or today,
        expected_on=calendar.expected_posting(
            payment.kind, today, is_bank_debit=payment.method_kind == PaymentMethod.Kind.BANK_ACCOUNT
        ),
    )
    return moved, True


def _request(payment: Payment) -> ChargeRequest:
    return ChargeRequest(
        key=payment.idempotency_key,
        amount_cents=payment.amount_cents,
        payment_number=payment.number,
        customer_id=customers.known(payment),
        descriptor_suffix=DESCRIPTORS[Bill.Kind(payment.kind)],
        return_url=f"{settings.PORTAL_URL}/payments/{payment.number}/return/",
        method_id=payment.method.stripe_id if payment.method is not None else "",
        confirmation_token=payment.confirmation_token,
        saves_method=payment.saves_method,
        is_off_session=payment.channel in OFF_SESSION,
        attempt=payment.attempt,
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
