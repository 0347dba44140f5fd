"""Autopay in tests: enrolments, methods with a customer at the provider, and days that go by."""

import datetime as dt

from django.utils import timezone

from accounts.models import Coverage, Member
from payments import customers
from payments.autopay import announcing, running
from payments.autopay.running import Report
from payments.models import AutopayCharge, AutopayEnrollment, PaymentMethod
from tests.payments.banking import give_leave
from tests.payments.paying import stripe_client


def in_days(days: int) -> dt.date:
    """So many days from today."""
    return timezone.localdate() + dt.timedelta(days=days)


def save_card(member: Member, card: str = "pm_card_visa") -> PaymentMethod:
    """A saved card of a member's."""
    customer = customers.ensure(member.user)
    made = stripe_client().v1.payment_methods.attach(card, {"customer": customer})
    return PaymentMethod.objects.create(
        user=member.user, kind="card", stripe_id=made.id, brand="visa", last4=made.card.last4
    )


def save_bank(member: Member, account: str = "pm_usBankAccount_success") -> PaymentMethod:
    """A saved bank account of a member's, verified, with its mandate here and at the provider."""
    client = stripe_client()
    customer = customers.ensure(member.user)
    made = client.v1.payment_methods.attach(account, {"customer": customer})
    client.v1.setup_intents.create(
        {
            "customer": customer, "confirm": True, "payment_method": made.id, "usage": "off_session",
            "payment_method_types": ["us_bank_account"],
            "mandate_data": {
                "customer_acceptance": {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "test"}}
            },
        }
    )  # fmt: skip
    method = PaymentMethod.objects.create(
        user=member.user, kind="us_bank_account", stripe_id=made.id, last4="6789", bank_name="STRIPE TEST BANK",
        fingerprint=made.us_bank_account.fingerprint or f"fp_{made.id}",
    )  # fmt: skip
    give_leave(method)
    return method


def enroll(
    member: Member, method: PaymentMethod, *, coverage: Coverage | None = None, people: tuple[Member, ...] = (),
    **terms: object,
) -> AutopayEnrollment:  # fmt: skip
    """Autopay of a coverage's premiums, or of medical bills of people."""
    enrollment = AutopayEnrollment.objects.create(
        user=member.user, household=member.household, covers="premium" if coverage else "medical", coverage=coverage,
        method=method, **terms,
    )  # fmt: skip
    AutopayEnrollment.objects.filter(pk=enrollment.pk).update(created_at=timezone.now() - dt.timedelta(days=1))
    enrollment.members.set(people)
    return enrollment


def announced(today: dt.date | None = None) -> AutopayCharge:
    """The one charge that an announcement makes."""
    announcing.run(today=today)
    return AutopayCharge.objects.order_by("pk").latest("pk")


def charged(day: dt.date) -> Report:
    """A run of a day, to its end."""
    return running.run(today=day)


def stands(charge: AutopayCharge) -> tuple[str, str]:
    """Its state and code now."""
    charge.refresh_from_db()
    return charge.status, charge.code
