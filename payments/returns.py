"""What follows from a bank debit that failed or came back, by the code its bank gave (RULES section 3.3).

The saved account is kept, stopped, or blocked with its mandate; the same debit is tried again where that is allowed; a
fee is charged where one is due; and a person looks where the code asks for one. All in the caller's transaction.
"""

from django.db.models import Q
from django.utils import timezone

from activity.recording import open_work, record
from payments import blocking, fees, mandates, retries, return_codes, staff_wording
from payments.autopay import failing
from payments.models import Mandate, Payment, PaymentMethod
from payments.return_codes import ReturnCode


def act(payment: Payment, code: ReturnCode) -> None:
    """Do what a return, before or after the payment had succeeded, asks for. Safe to repeat."""
    today = timezone.localdate()
    agreed = mandates.of_payment(payment)
    _stop_accounts(payment, code, agreed)
    fees.charge(payment, code, agreed=agreed, on=today)
    retry = retries.plan(payment, code, on=today)
    failing.returned(payment, code, retry)
    record(
        "bank.returned",
        subject=f"payment:{payment.number}",
        owner_id=payment.household_id,
        actor="stripe",
        payment_id=payment.pk,
        code=code.code,
        account=code.account,
        autopay=code.autopay,
    )
    if code.needs_staff:
        open_work(
            "dispute",
            subject=f"payment:{payment.number}",
            dedupe_key=f"returned:{payment.pk}",
            detail=staff_wording.returned(code),
        )


def act_on_failure(payment: Payment, *, was_on_its_way: bool) -> None:
    """Do what a bank's refusal before success asks for; nothing where the provider did not even ask the bank."""
    if was_on_its_way or payment.failure_code in return_codes.OF_FAILURE:
        act(payment, return_codes.of("", reason=payment.failure_code))


def accounts_of(payment: Payment, agreed: Mandate | None) -> list[PaymentMethod]:
    """The payer's saved accounts that a payment was debited from: the one chosen, and what is the same account."""
    if payment.payer_id is None:
        return []
    fingerprint = payment.method.fingerprint if payment.method else agreed.fingerprint if agreed else ""
    wanted = Q(pk=payment.method_id)
    if fingerprint:
        wanted |= Q(user_id=payment.payer_id, fingerprint=fingerprint)
    accounts = PaymentMethod.objects.filter(kind=PaymentMethod.Kind.BANK_ACCOUNT).usable()
    return list(accounts.filter(wanted).order_by("pk"))


def _stop_accounts(payment: Payment, code: ReturnCode, agreed: Mandate | None) -> None:
    if not code.stops_account:
        return
    for account in accounts_of(payment, agreed):
        blocking.block(account, code.code)
    if code.is_unauthorized and agreed is not None:  # the leave to debit is gone, whatever becomes of the account
        mandates.deactivate(agreed)
