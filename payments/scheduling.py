"""Pay later: a draft with a day, sent on it by `send_due` unless it was changed or called off before its cut-off.

It promises nothing to the bill: who pays by hand before the day pays, and then only what is still owed is charged.
"""

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.visibility import Scope
from activity.doorbell import ring
from activity.recording import record
from bills.banking_days import next_banking_day
from bills.models import Bill
from ledger.money import format_usd
from ledger.templatetags.portal import day_long
from ledger.transactions import atomic_with_retry
from payments import checkout, customers, declines, eligibility, moving, readiness
from payments.allocating import bills_to_pay, payable_cents
from payments.checkout import MIN_CENTS, AmountExceedsPayable, BelowMinimum, CheckoutError, NotADraft, NotEligible
from payments.models import Payment, PaymentAllocation, PaymentMethod, PaymentQuerySet
from payments.provider import GatewayError
from payments.states import PaymentStatus


class NotSchedulable(CheckoutError):
    """A payment or a day that cannot be scheduled; its text says why and what to do."""


class PastCutOff(CheckoutError):
    """Too late to change or to call off; the payment is about to be sent."""


def upcoming(scope: Scope) -> PaymentQuerySet:
    """The viewer's own payments that wait for their day, the earliest first."""
    mine = Payment.objects.filter(payer_id=scope.user_id, status=PaymentStatus.DRAFT, scheduled_on__isnull=False)
    hidden = PaymentAllocation.objects.filter(payment_id=OuterRef("pk")).exclude(bill__in=bills_to_pay(scope))
    mine = mine.filter(~Exists(hidden))  # whose bills are apart by now: parting calls it off
    return mine.select_related("method").order_by("scheduled_on", "pk")


def scheduled_ids(scope: Scope) -> set[int]:
    """The bills for which the viewer has scheduled a payment: one query."""
    drafts = PaymentAllocation.objects.filter(
        payment__payer_id=scope.user_id,
        payment__status=PaymentStatus.DRAFT,
        payment__scheduled_on__isnull=False,
    )
    return set(drafts.values_list("bill_id", flat=True))


def first_day() -> dt.date:
    """The earliest day that can be chosen: tomorrow, or later where its cut-off has passed."""
    day = timezone.localdate() + dt.timedelta(days=1)
    while timezone.now() >= cut_off(day):
        day += dt.timedelta(days=1)
    return day


def last_day() -> dt.date:
    """The latest day that can be chosen."""
    return timezone.localdate() + dt.timedelta(days=settings.SCHEDULE_DAYS_AHEAD)


def cut_off(day: dt.date) -> dt.datetime:
    """Until when a payment of a day can be changed or called off: the midnight before it, or hours before that."""
    midnight = timezone.make_aware(dt.datetime.combine(day, dt.time.min))
    return midnight - dt.timedelta(hours=settings.SCHEDULE_CUT_OFF_HOURS)


def is_open(payment: Payment) -> bool:
    """Whether a scheduled payment can still be changed."""
    day = payment.scheduled_on
    return payment.status == PaymentStatus.DRAFT and day is not None and timezone.now() < cut_off(day)


def sent_on(day: dt.date, method: PaymentMethod) -> dt.date:
    """The day on which a payment goes out: banks take debits on banking days alone (RULES section 11)."""
    return next_banking_day(day) if method.kind == PaymentMethod.Kind.BANK_ACCOUNT else day


def schedule(payment: Payment, *, on: dt.date) -> Payment:
    """Let a draft wait for a day. Its method is a saved one. Raises CheckoutError."""
    try:
        customers.ensure_for(payment)
    except GatewayError as error:
        raise checkout.ProviderUnavailable(str(declines.CANNOT_PAY_NOW)) from error
    return _schedule(payment.pk, on)


@atomic_with_retry
def _schedule(payment_id: int, on: dt.date) -> Payment:
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.status != PaymentStatus.DRAFT or payment.payer is None:
        raise NotADraft(_("This payment has been sent already."))
    if payment.scheduled_on is not None:
        return moving.current(payment_id)  # the form was sent twice
    if payment.split_id is not None:
        raise NotSchedulable(_("A payment that two methods share cannot wait for a day. Schedule one for each method."))
    if payment.method is None:
        raise NotSchedulable(
            _("Only a saved method can pay later. Keep the card or account under Payment methods first.")
        )
    day = _fitting(payment.method, payment, on)
    if reason := eligibility.why_not([payment]):
        raise NotEligible(reason)
    wanted = dict(payment.allocations.values_list("bill_id", "amount_cents"))
    _refuse_excess(wanted)
    Payment.objects.filter(pk=payment_id).update(scheduled_on=day)
    _record("payment.scheduled", payment, actor=f"user:{payment.payer_id}", on=day)
    return moving.current(payment_id)


@atomic_with_retry
@transaction.atomic  # a refusal keeps nothing, also inside a caller's transaction
def change(
    payment: Payment, scope: Scope, *, on: dt.date, amounts: Mapping[str, int], method: PaymentMethod,
    attestation: str = "",
) -> Payment:  # fmt: skip
    """Change the day, the method, and the amounts (US cents by bill number; the bills stay). Raises CheckoutError."""
    payment = _held(payment.pk)
    if payment.retry_of_id is not None:  # it is the same debit again, or none (RULES section 3.2)
        raise NotSchedulable(_("A returned payment is sent again as it was. Cancel it, and pay what you like by hand."))
    bills = {bill.number: bill for bill in bills_to_pay(scope).filter(number__in=amounts)}
    standing = set(payment.allocations.values_list("bill_id", flat=True))
    if {bill.pk for bill in bills.values()} != standing or min(amounts.values()) <= 0:
        raise checkout.BillNotPayable(
            _("One of these bills can no longer be paid. Cancel this payment and start anew.")
        )
    wanted = {bill.pk: amounts[number] for number, bill in bills.items()}
    if sum(wanted.values()) < MIN_CENTS:
        raise BelowMinimum(_("The least you can pay is %(amount)s.") % {"amount": format_usd(MIN_CENTS)})
    _refuse_excess(wanted)
    day = _fitting(method, payment, on)
    for bill_id, cents in wanted.items():
        payment.allocations.filter(bill_id=bill_id).update(amount_cents=cents)
    Payment.objects.filter(pk=payment.pk).update(
        scheduled_on=day, amount_cents=sum(wanted.values()), method=method, method_kind=method.kind,
        method_brand=method.brand, method_last4=method.last4, method_wallet=method.wallet, method_label=method.label,
        attestation=attestation if method.label else "",
    )  # fmt: skip
    changed = moving.current(payment.pk)
    if reason := eligibility.why_not([changed]):
        raise NotEligible(reason)
    _record("payment.rescheduled", changed, actor=f"user:{payment.payer_id}", on=day)
    return changed


@atomic_with_retry
def call_off(payment: Payment) -> Payment:
    """Cancel a scheduled payment before its cut-off. Raises PastCutOff, NotADraft."""
    payment = _held(payment.pk)
    return moving.move(
        payment.pk, PaymentStatus.CANCELED, actor=f"user:{payment.payer_id}", failure_code="called_off",
        settled_at=timezone.now(),
    )  # fmt: skip


@atomic_with_retry
def take_back(payment: Payment) -> Payment:
    """Make a scheduled payment a plain draft again, to be sent today by hand. Raises PastCutOff, NotADraft."""
    payment = _held(payment.pk)
    Payment.objects.filter(pk=payment.pk).update(scheduled_on=None)
    _record("payment.unscheduled", payment, actor=f"user:{payment.payer_id}", on=None)
    return moving.current(payment.pk)


def still_owed_cents(payment: Payment) -> int:
    """How much of it would be charged if its day were now, US cents."""
    return sum(_chargeable(payment).values())


def why_unusable(payment: Payment, on: dt.date) -> str:
    """Why its method could not pay on a day, in words; empty where it could."""
    method = payment.method
    if method is None:
        return _("That payment method was removed. Choose another.")
    year, month = method.expires_year, method.expires_month
    if year is not None and month is not None and (year, month) < (on.year, on.month):
        return _("This card has expired by then. Choose another method.")
    return readiness.why_not(method, payment.payer)


def _held(payment_id: int) -> Payment:
    """A scheduled payment, locked, before its cut-off."""
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    if payment.status != PaymentStatus.DRAFT or payment.scheduled_on is None:
        raise NotADraft(_("This payment has been sent or canceled already."))
    if not is_open(payment):
        raise PastCutOff(_("It is too late to change this payment: it is about to be sent. Call us if it must not be."))
    return payment


def _fitting(method: PaymentMethod, payment: Payment, on: dt.date) -> dt.date:
    """The day on which it goes out. Raises NotSchedulable where the day or the method does not do."""
    if not first_day() <= on <= last_day():
        raise NotSchedulable(
            _("Choose a day from %(first)s to %(last)s.")
            % {"first": day_long(first_day()), "last": day_long(last_day())}
        )
    day = sent_on(on, method)
    payment.method = method
    if reason := why_unusable(payment, day):
        raise NotSchedulable(reason)
    return day


def _refuse_excess(wanted: Mapping[int, int]) -> None:
    bills = list(Bill.objects.filter(pk__in=wanted).select_related("receivable"))
    payable = payable_cents(bills)
    for bill in bills:
        if wanted[bill.pk] > payable[bill.pk]:
            raise AmountExceedsPayable(
                _("Bill %(number)s: at most %(amount)s can be paid.")
                % {"number": bill.number, "amount": format_usd(payable[bill.pk])}
            )


def _chargeable(payment: Payment) -> dict[int, int]:
    """What can be charged of it now, US cents by bill."""
    wanted = dict(payment.allocations.values_list("bill_id", "amount_cents"))
    bills = list(Bill.objects.filter(pk__in=wanted).select_related("receivable"))
    payable = payable_cents(bills)
    return {bill.pk: min(wanted[bill.pk], payable[bill.pk]) for bill in bills}


def _record(kind: str, payment: Payment, *, actor: str, on: dt.date | None) -> None:
    record(
        kind, subject=f"payment:{payment.number}", owner_id=payment.household_id, actor=actor, payment_id=payment.pk,
        on=on.isoformat() if on else "",
    )  # fmt: skip
    ring("notifications.tasks.work_off")
