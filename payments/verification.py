"""Proving a bank account by small deposits: its owner reads their amounts, or a code, off the bank's statement.

They arrive within one or two business days; about ten tries and ten days are given (RULES 3.4). Until then the account
pays nothing.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from activity.doorbell import ring
from activity.recording import record
from bills.banking_days import add_banking_days
from payments import gateway, mandates, replacing
from payments.models import MethodSetup, PaymentMethod
from payments.provider import GatewayError, Refused, Setup

MAX_TRIES = 10
LIFE = dt.timedelta(days=10)
ARRIVAL_DAYS = 2  # business days, where the provider does not name the day
BATCH = 200
AMOUNTS, CODE = "amounts", "descriptor_code"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended: `verified`, `wrong` with the tries that are left, `ended` for good, or `unknown`."""

    state: str
    tries_left: int = 0


def wait_for_deposits(method: PaymentMethod, found: Setup) -> None:
    """Mark an account as one whose owner has to read small deposits off a statement."""
    now = timezone.now()
    arrival = timezone.localdate(found.deposits_at) if found.deposits_at else None
    PaymentMethod.objects.filter(pk=method.pk).update(
        state=PaymentMethod.State.PENDING,
        is_default=False,
        stripe_setup_intent_id=found.id,
        deposits_kind=found.deposits_kind or AMOUNTS,
        deposits_on=arrival or add_banking_days(timezone.localdate(now), ARRIVAL_DAYS),
        verify_until=now + LIFE,
    )
    _record("method.pending", method, actor=f"user:{method.user_id}")


def attempt(method: PaymentMethod, *, amounts_cents: tuple[int, int] | None = None, code: str = "") -> Outcome:
    """Try what the owner read: two amounts in US cents, or a code. Each try counts, also of several at once."""
    now = timezone.now()
    waiting = PaymentMethod.objects.filter(
        pk=method.pk, state=PaymentMethod.State.PENDING, removed_at__isnull=True, verify_until__gt=now
    )
    if not waiting.filter(verify_tries__lt=MAX_TRIES).update(verify_tries=F("verify_tries") + 1):
        expire(now)
        return _standing(method)
    try:
        found = gateway.verify_deposits(method.stripe_setup_intent_id, amounts_cents=amounts_cents, code=code)
    except Refused as refusal:
        if refusal.code.endswith(("_exceeded", "_timeout")):
            fail(method, refusal.code)
        elif not refusal.code.endswith(("_mismatch", "_invalid")):
            return ask(method)
        return _standing(method)
    except GatewayError:
        waiting.filter(verify_tries__gt=0).update(verify_tries=F("verify_tries") - 1)
        return Outcome("unknown", MAX_TRIES - method.verify_tries)
    _follow_and_detach(method, found)
    return _standing(method)


def ask(method: PaymentMethod) -> Outcome:
    """Ask the provider how the proof of an account stands."""
    try:
        _follow_and_detach(method, gateway.setup(method.stripe_setup_intent_id))
    except GatewayError:
        return Outcome("unknown", MAX_TRIES - method.verify_tries)
    return _standing(method)


def follow(method: PaymentMethod, found: Setup) -> list[str]:
    """Bring an account to where its setup intent stands. Returns as `replacing.replace` does."""
    if found.status == "succeeded":
        return succeed(method)
    if found.status in ("requires_payment_method", "canceled"):
        fail(method, found.failure_code or "abandoned")
    return []


@transaction.atomic
def succeed(method: PaymentMethod) -> list[str]:
    """The account is proved: it can pay, and takes the place it was meant for."""
    proved = PaymentMethod.objects.filter(pk=method.pk, state=PaymentMethod.State.PENDING, removed_at__isnull=True)
    if not proved.update(state=PaymentMethod.State.VERIFIED):
        return []
    _record("method.verified", method, actor="stripe")
    setup = MethodSetup.objects.select_related("method", "replaces").filter(method=method).order_by("pk").first()
    return replacing.settle(setup) if setup is not None else []


@transaction.atomic
def fail(method: PaymentMethod, code: str) -> bool:
    """The account was not proved and never can be by these deposits; whether that is new. Its mandate ends."""
    waiting = PaymentMethod.objects.filter(pk=method.pk, state=PaymentMethod.State.PENDING)
    if not waiting.update(state=PaymentMethod.State.FAILED, blocked_code=code[:60]):
        return False
    mandates.revoke(method)
    _record("method.verification_failed", method, actor="stripe", code=code)
    return True


def expire(now: dt.datetime | None = None) -> int:
    """Give up accounts whose time or tries are over; how many."""
    now = now or timezone.now()
    waiting = PaymentMethod.objects.filter(state=PaymentMethod.State.PENDING, removed_at__isnull=True)
    late = waiting.filter(verify_until__lte=now) | waiting.filter(verify_tries__gte=MAX_TRIES)
    ended = 0
    for method in late.order_by("verify_until")[:BATCH]:
        if _ended_well(method):
            continue
        ended += fail(method, "too_late" if method.verify_until and method.verify_until <= now else "too_many_tries")
        try:
            gateway.cancel_setup(method.stripe_setup_intent_id)
        except GatewayError:
            continue  # at the provider it ends by itself
    return ended


def _ended_well(method: PaymentMethod) -> bool:
    """Whether the last try had proved the account after all: its answer may have been lost."""
    return ask(method).state == "verified"


def _follow_and_detach(method: PaymentMethod, found: Setup) -> None:
    for stripe_id in follow(method, found):
        try:
            gateway.detach(stripe_id)
        except GatewayError:
            continue


def _standing(method: PaymentMethod) -> Outcome:
    method.refresh_from_db()
    if method.state == PaymentMethod.State.VERIFIED:
        return Outcome("verified")
    if method.state == PaymentMethod.State.FAILED:
        return Outcome("ended")
    return Outcome("wrong", MAX_TRIES - method.verify_tries)


def _record(kind: str, method: PaymentMethod, *, actor: str, code: str = "") -> None:
    record(kind, subject=f"method:{method.pk}", actor=actor, method_id=method.pk, code=code)
    ring("notifications.tasks.work_off")
