"""What a payment's new state means for the autopay charge that it was made for: in the transaction of the move."""

from activity.recording import record
from payments import return_codes
from payments.autopay import failing
from payments.models import AutopayCharge, Payment, PaymentMethod
from payments.models.autopay import ChargeStatus
from payments.states import PaymentStatus

ENDED_BADLY = (PaymentStatus.FAILED, PaymentStatus.CANCELED)


def follow(payment: Payment, *, before: str) -> None:
    """Bring a charge to where its payment moved. A debit sent again is still its first payment's charge."""
    charge = (
        AutopayCharge.objects.select_for_update(of=("self",))
        .filter(payment_id=payment.retry_of_id or payment.pk)
        .select_related("enrollment__method", "enrollment__fallback")
        .first()
    )
    if charge is None:
        return
    if payment.status == PaymentStatus.SUCCEEDED:
        _succeed(charge)
    elif payment.status == PaymentStatus.REQUIRES_ACTION:
        _ask(charge, payment)
    elif payment.status in ENDED_BADLY and charge.payment_id == payment.pk:
        failed = AutopayCharge.objects.filter(pk=charge.pk, status=ChargeStatus.SENT).update(
            status=ChargeStatus.FAILED, code=payment.failure_code
        )
        if failed and not _says_the_bank(payment, before):
            failing.after(charge, payment)


def succeeded(payment_ids: list[int]) -> int:
    """Bring the charges of payments that all succeeded at their first answer to their end; how many there were."""
    return AutopayCharge.objects.filter(payment_id__in=payment_ids, status=ChargeStatus.SENT).update(
        status=ChargeStatus.DONE, code=""
    )


def _succeed(charge: AutopayCharge) -> None:
    AutopayCharge.objects.filter(pk=charge.pk, status__in=(ChargeStatus.SENT, ChargeStatus.FAILED)).update(
        status=ChargeStatus.DONE, code=""
    )
    if charge.status == ChargeStatus.FAILED:  # the provider says so in the end: what was to be tried again is not
        later = failing.tries_of(charge).filter(attempt__gt=charge.attempt, status=ChargeStatus.ANNOUNCED)
        later.update(status=ChargeStatus.NOT_NEEDED, code="paid_meanwhile")


def _ask(charge: AutopayCharge, payment: Payment) -> None:
    """The payer's bank wants the payer: a link, and no retry (FAULTS B15)."""
    record(
        "autopay.action_needed", subject=f"autopay:{charge.enrollment_id}", owner_id=charge.household_id,
        actor="system", charge_id=charge.pk, enrollment_id=charge.enrollment_id, payment_id=payment.pk,
    )  # fmt: skip


def _says_the_bank(payment: Payment, before: str) -> bool:
    """Whether it is a bank's refusal of a debit, of which payments.returns says what follows."""
    return payment.method_kind == PaymentMethod.Kind.BANK_ACCOUNT and (
        before == PaymentStatus.PROCESSING or payment.failure_code in return_codes.OF_FAILURE
    )
