"""Saved cards and bank accounts: kept with consent, the user's own, named by what cannot be misused."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from payments import gateway
from payments.models import Payment, PaymentMethod
from payments.provider import GatewayError, MethodSummary

MAX_METHODS = 10
CONSENT_VERSION = "2026-11"


def consent_text(portal_name: str) -> str:
    """What a member agrees to when a card is kept for later payments."""
    return _(
        "I allow %(portal)s to keep this card for later payments that I start myself. "
        "I can remove it at any time under Payment methods."
    ) % {"portal": portal_name}


def is_expired(method: PaymentMethod) -> bool:
    """Whether a card's last month is over."""
    if method.expires_year is None or method.expires_month is None:
        return False
    today = timezone.localdate()
    return (method.expires_year, method.expires_month) < (today.year, today.month)


@transaction.atomic
def keep(payment: Payment, summary: MethodSummary) -> PaymentMethod | None:
    """Keep the method of a payment whose payer asked for it, once a card. None where nothing can be kept."""
    user = payment.payer
    if user is None or not summary.stripe_id:
        return None
    User.objects.select_for_update().get(pk=user.pk)
    kept = PaymentMethod.objects.filter(user=user).usable()
    if (same := kept.filter(fingerprint=summary.fingerprint, kind=summary.kind).first()) and summary.fingerprint:
        return same
    if kept.count() >= MAX_METHODS:
        return None
    method, is_new = PaymentMethod.objects.get_or_create(
        stripe_id=summary.stripe_id,
        defaults={
            "user": user,
            "kind": summary.kind,
            "brand": summary.brand,
            "last4": summary.last4,
            "wallet": summary.wallet,
            "bank_name": summary.bank_name,
            "expires_month": summary.expires_month,
            "expires_year": summary.expires_year,
            "fingerprint": summary.fingerprint,
            "is_default": not kept.exists(),
            "consent_version": payment.consent_version,
            "consented_at": payment.submitted_at,
            "consent_address": payment.consent_address,
        },
    )
    if is_new:
        record("method.kept", subject=f"method:{method.pk}", actor=f"user:{user.pk}", method_id=method.pk)
        ring("notifications.tasks.work_off")
    return method


@transaction.atomic
def make_default(method: PaymentMethod) -> None:
    """Make a method the one that is offered first."""
    User.objects.select_for_update().get(pk=method.user_id)
    PaymentMethod.objects.filter(user_id=method.user_id, is_default=True).update(is_default=False)
    PaymentMethod.objects.filter(pk=method.pk, removed_at__isnull=True).update(is_default=True)


def rename(method: PaymentMethod, *, nickname: str) -> None:
    """Give a method the member's own name for it; empty takes it away."""
    PaymentMethod.objects.filter(pk=method.pk, removed_at__isnull=True).update(nickname=nickname)


def remove(method: PaymentMethod, *, actor: str) -> None:
    """Remove a method: here at once, then at the provider. Another becomes the default where this one was."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=method.user_id)  # first, as everywhere: then its methods
        usable = PaymentMethod.objects.filter(user_id=method.user_id).usable()
        was_default = usable.filter(pk=method.pk, is_default=True).exists()
        if not usable.filter(pk=method.pk).update(removed_at=timezone.now(), is_default=False):
            return
        record("method.removed", subject=f"method:{method.pk}", actor=actor, method_id=method.pk)
        ring("notifications.tasks.work_off")
        next_one = usable.order_by("-created_at").first()
        if was_default and next_one is not None:
            make_default(next_one)
    try:
        gateway.detach(method.stripe_id)
    except GatewayError:
        return  # it is removed for us; at the provider it can be charged by nobody but us


@transaction.atomic
def refresh(stripe_id: str, summary: MethodSummary) -> None:
    """Take over what the card network renewed: last four digits and expiry (FAULTS B28)."""
    changed = PaymentMethod.objects.filter(stripe_id=stripe_id, removed_at__isnull=True).update(
        last4=summary.last4, expires_month=summary.expires_month, expires_year=summary.expires_year,
        fingerprint=summary.fingerprint,
    )  # fmt: skip
    if changed:
        record("method.renewed", subject=f"method:{stripe_id}", actor="stripe")
        ring("notifications.tasks.work_off")
