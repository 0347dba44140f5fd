"""Payments by bank account, for tests of what a bank does afterwards: made at the provider, past the pages."""

import itertools
from collections.abc import Mapping

from django.utils import timezone

from accounts.models import Member
from accounts.visibility import scope_of
from bills.models import Bill
from payments import checkout, customers, disputes, moving, sweeping
from payments.models import Mandate, MethodSetup, Payment, PaymentMethod
from payments.states import PaymentStatus
from tests.payments.paying import stripe_client
from tests.stripe_sandbox.conftest import Server

_serial = itertools.count(1)


def save_account(member: Member, *, fingerprint: str = "", text: str = "") -> PaymentMethod:
    """A saved bank account of a member's, with the mandate under which it is debited."""
    number = next(_serial)
    method = PaymentMethod.objects.create(
        user=member.user, kind="us_bank_account", stripe_id=f"pm_bank_{number}", last4="6789",
        bank_name="STRIPE TEST BANK", fingerprint=fingerprint or f"fp_{number}",
    )  # fmt: skip
    give_leave(method, text=text)
    return method


def give_leave(method: PaymentMethod, *, text: str = "") -> Mandate:
    """A mandate for a saved account."""
    setup = MethodSetup.objects.create(user=method.user, confirmation_token="t", kind=method.kind)
    return Mandate.objects.create(
        user=method.user, setup=setup, method=method, text=text or "I let the plan debit my account.", version="1",
        language="en", accepted_at=timezone.now(), address="127.0.0.1", user_agent="test",
        fingerprint=method.fingerprint,
    )  # fmt: skip


def sent(
    member: Member, amounts: Mapping[Bill, int], *, account: str = "pm_usBankAccount_success",
    method: PaymentMethod | None = None, channel: str = Payment.Channel.WEB,
) -> Payment:  # fmt: skip
    """A payment by bank account that is on its way."""
    payment = checkout.begin(
        scope_of(member.user), payer=member.user, amounts={bill.number: cents for bill, cents in amounts.items()},
        channel=channel,
    )  # fmt: skip
    return send(payment, account=account, method=method)


def send(
    payment: Payment, *, account: str = "pm_usBankAccount_success", method: PaymentMethod | None = None
) -> Payment:
    """Send a draft by bank account."""
    assert payment.payer is not None
    customer = customers.ensure(payment.payer)
    now = timezone.now()
    moving.move(
        payment.pk, PaymentStatus.SUBMITTED, actor="test", attempt=1, submitted_at=now, asked_at=now,
        effective_on=timezone.localdate(), method=method or payment.method, method_kind="us_bank_account",
        method_last4="6789",
    )  # fmt: skip
    made = stripe_client().v1.payment_intents.create(
        {
            "amount": payment.amount_cents, "currency": "usd", "customer": customer, "confirm": True,
            "payment_method": account, "payment_method_types": ["us_bank_account"],
            "metadata": {"payment": payment.number, "attempt": "1"},
            "mandate_data": {
                "customer_acceptance": {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "test"}}
            },
        },
        {"idempotency_key": f"payment-{payment.pk}-1"},
    )  # fmt: skip
    return sweeping.adopt(moving.current(payment.pk), made.id)


def settled(provider: Server, payment: Payment) -> Payment:
    """The bank has answered: paid, or as the test account says."""
    provider.post("clock/advance", seconds=60)
    return sweeping.refresh(moving.current(payment.pk))


def paid(provider: Server, member: Member, amounts: Mapping[Bill, int], **more: object) -> Payment:
    """A payment by bank account that has succeeded."""
    payment = settled(provider, sent(member, amounts, **more))  # type: ignore[arg-type]
    assert payment.status == PaymentStatus.SUCCEEDED
    return payment


def returned(provider: Server, payment: Payment, code: str = "R01") -> Payment:
    """The bank takes a payment back that had succeeded, and we hear of it."""
    provider.post("bank_debits/return", payment_intent=payment.stripe_payment_intent_id, code=code)
    disputes.refresh(payment)
    return moving.current(payment.pk)
