"""What the demo's people paid before it began: charged through checkout where a provider answers, else by check."""

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass

import requests
from django.conf import settings
from django.utils import timezone

from accounts.models import Member, User
from accounts.visibility import scope_of
from bills.models import Bill
from payments import checkout, lockbox, methods
from payments.lockbox import Slip
from payments.models import Payment, PaymentMethod

TEST_CARD = "pm_card_visa"  # docs.stripe.com/testing: a card that is always accepted
TIMEOUT_SECONDS = 5


class HistoryUnpaid(Exception):
    """A charge of the demo's history did not succeed."""


@dataclass(frozen=True, slots=True)
class Paid:
    """Who paid how much of which bill, and on which day. US cents."""

    bill: Bill
    payer: Member
    on: dt.date
    cents: int


def pay(history: list[Paid]) -> None:
    """Pay it all, each once. Raises HistoryUnpaid where a charge does not succeed."""
    charges = _provider_answers()
    for paid in history:
        if not paid.cents:
            continue
        if charges:
            _charge(paid)
        else:
            _record_check(paid)


def _provider_answers() -> bool:
    """Whether a test provider is there to charge. Never a live one."""
    if not settings.STRIPE_SECRET_KEY.startswith("sk_test_"):
        return False
    try:
        _confirmation_token()
    except requests.RequestException:
        return False
    return True


def _confirmation_token() -> str:
    """What the browser would make of a typed-in card (docs.stripe.com/api/confirmation_tokens/test_create)."""
    answer = requests.post(
        f"{settings.STRIPE_API_BASE}/v1/test_helpers/confirmation_tokens",
        data={"payment_method": TEST_CARD},
        auth=(settings.STRIPE_SECRET_KEY, ""),
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


def _charge(paid: Paid) -> None:
    """Charge the payer's saved card, or the first time a card that is then kept; dated back to the day."""
    user = paid.payer.user
    assert user is not None
    key = f"demo:{paid.bill.source_id}"
    payment = Payment.objects.filter(payer=user, client_key=key).first() or checkout.begin(
        scope_of(user), payer=user, amounts={paid.bill.number: paid.cents}, client_key=key
    )
    Payment.objects.filter(pk=payment.pk).update(effective_on=paid.on)
    if payment.status == "draft":
        payment = checkout.confirm(_chosen(payment, user))
    if payment.status != "succeeded":
        raise HistoryUnpaid(f"payment {payment.number} of the demo's history is {payment.status}")
    noon = timezone.make_aware(dt.datetime.combine(paid.on, dt.time(12)))
    Payment.objects.filter(pk=payment.pk).update(
        created_at=noon, submitted_at=noon, settled_at=noon, expected_on=paid.on
    )


def _chosen(payment: Payment, user: User) -> Payment:
    kept = PaymentMethod.objects.filter(user=user).usable().first()
    if kept is not None:
        return checkout.choose(payment, method=kept)
    return checkout.choose(
        payment,
        confirmation_token=_confirmation_token(),
        saves_method=True,
        consent_version=methods.CONSENT_VERSION,
        consent_address="127.0.0.1",
    )


def _record_check(paid: Paid) -> None:
    """Record a paper check of that day, once."""
    clerk = User.objects.filter(is_staff=True).order_by("pk")[0]
    slip = Slip(
        number=str(1000 + paid.bill.pk % 9000), amount_cents=paid.cents, received_on=paid.on, reference=paid.bill.number
    )
    with suppress(lockbox.SeenBefore):
        lockbox.record_check(slip, by=clerk, reason="The demo's history")
