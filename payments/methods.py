"""Saved cards and bank accounts: kept with consent, the user's own, named by what cannot be misused."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from payments import defaults, gateway, mandates, moving, sharing
from payments.models import AutopayEnrollment, Mandate, MethodShare, Payment, PaymentMethod
from payments.provider import GatewayError, MethodSummary
from payments.states import IN_FLIGHT, PaymentStatus

MAX_METHODS = 10
CONSENT_VERSION = "2026-11"


class MethodInUse(Exception):
    """A payment of this method is on its way or waits for its owner; its text says so."""


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


def is_full(user: User) -> bool:
    """Whether a user keeps as many methods as one may keep."""
    return PaymentMethod.objects.filter(user=user).usable().count() >= MAX_METHODS


@transaction.atomic
def keep(payment: Payment, summary: MethodSummary) -> PaymentMethod | None:
    """Keep the method of a payment whose payer asked for it, once a card. None where nothing can be kept."""
    user = payment.payer
    if user is None or not summary.stripe_id:
        return None
    User.objects.select_for_update().get(pk=user.pk)
    kept = PaymentMethod.objects.filter(user=user).usable()
    same = kept.ready().filter(fingerprint=summary.fingerprint, kind=summary.kind).first()
    if same is not None and summary.fingerprint:
        return same
    standing = PaymentMethod.objects.filter(stripe_id=summary.stripe_id).first()
    if standing is not None or is_full(user):
        return standing
    method = create(user, summary, label=payment.method_label)
    if method.kind == PaymentMethod.Kind.CARD:
        note_consent(method, version=payment.consent_version, at=payment.submitted_at, address=payment.consent_address)
    Mandate.objects.filter(payment=payment, method__isnull=True).update(method=method)
    defaults.follow(user.pk)
    record("method.kept", subject=f"method:{method.pk}", actor=f"user:{user.pk}", method_id=method.pk)
    ring("notifications.tasks.work_off")
    method.refresh_from_db()
    return method


def create(user: User, summary: MethodSummary, *, label: str = "", nickname: str = "") -> PaymentMethod:
    """A method of a user's, verified and not the default. The caller holds the user's row."""
    return PaymentMethod.objects.create(
        user=user,
        kind=summary.kind,
        label=label,
        nickname=nickname,
        stripe_id=summary.stripe_id,
        brand=summary.brand,
        last4=summary.last4,
        wallet=summary.wallet,
        bank_name=summary.bank_name,
        expires_month=summary.expires_month,
        expires_year=summary.expires_year,
        fingerprint=summary.fingerprint,
    )


def note_consent(method: PaymentMethod, *, version: str, at: dt.datetime | None, address: str | None) -> None:
    """Write down when, from where and to which words a card's owner agreed. A bank account has its mandate."""
    PaymentMethod.objects.filter(pk=method.pk).update(consent_version=version, consented_at=at, consent_address=address)


def make_default(method: PaymentMethod) -> None:
    """Make a method the one that is offered first, if it can be charged."""
    defaults.make(method)


def rename(method: PaymentMethod, *, nickname: str) -> None:
    """Give a method the member's own name for it; empty takes it away."""
    PaymentMethod.objects.filter(pk=method.pk, removed_at__isnull=True).update(nickname=nickname)


def relabel(method: PaymentMethod, *, label: str) -> None:
    """Say whether a card is an HSA's or an FSA's: only its owner knows (RULES section 2). A bank account is neither."""
    changed = PaymentMethod.objects.filter(
        pk=method.pk, kind=PaymentMethod.Kind.CARD, removed_at__isnull=True
    ).exclude(label=label).update(label=label)  # fmt: skip
    if changed:
        record("method.labelled", subject=f"method:{method.pk}", actor=f"user:{method.user_id}", label=label)


def scheduled(method: PaymentMethod) -> list[Payment]:
    """The payments that are planned with a method, by whomever, the earliest first."""
    planned = Payment.objects.filter(method=method, status=PaymentStatus.DRAFT, scheduled_on__isnull=False)
    return list(planned.order_by("scheduled_on", "pk"))


def scheduled_by_owner(method: PaymentMethod) -> list[Payment]:
    """Those that its owner planned: what others plan with a shared method is not the owner's to know (FAULTS F11)."""
    return [payment for payment in scheduled(method) if payment.payer_id == method.user_id]


def is_in_use(method: PaymentMethod) -> bool:
    """Whether a payment of it is on its way, or waits for its owner."""
    return Payment.objects.filter(method=method, status__in=IN_FLIGHT).exists()


def pays_autopay(method: PaymentMethod) -> bool:
    """Whether its owner's autopay pays with it. That of others to whom it is shared is not the owner's to know."""
    return AutopayEnrollment.objects.in_force().filter(method=method, user_id=method.user_id).exists()


def remove(method: PaymentMethod, *, actor: str) -> None:
    """Remove a method: here at once, then at the provider. What is planned with it is called off, its shares end.

    Another becomes the default where this one was. Raises MethodInUse.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=method.user_id)  # first, as everywhere: then its methods
        if is_in_use(method):
            raise MethodInUse(
                _("A payment with it is on its way. You can remove it once that payment has posted or failed.")
            )
        if pays_autopay(method):
            raise MethodInUse(_("Autopay pays with it. Choose another method for autopay first, or turn autopay off."))
        usable = PaymentMethod.objects.filter(pk=method.pk).usable()
        if not usable.update(removed_at=timezone.now(), is_default=False):
            return
        AutopayEnrollment.objects.in_force().filter(fallback=method, user_id=method.user_id).update(fallback=None)
        for payment in scheduled(method):
            moving.move(payment.pk, PaymentStatus.CANCELED, actor=actor, failure_code="method_removed")
        end_shares(method, reason="removed", actor=actor)
        mandates.revoke(method)
        record("method.removed", subject=f"method:{method.pk}", actor=actor, method_id=method.pk)
        ring("notifications.tasks.work_off")
        defaults.follow(method.user_id)
    detach(method.stripe_id)


def end_shares(method: PaymentMethod, *, reason: str, actor: str) -> None:
    """End every share of a method; each end is written down."""
    for share in MethodShare.objects.filter(method=method, ended_at__isnull=True).order_by("pk"):
        sharing.end(share, reason=reason, actor=actor)


def detach(stripe_id: str) -> None:
    """Take a method off its customer at the provider; where that fails, nobody but us can charge it there."""
    try:
        gateway.detach(stripe_id)
    except GatewayError:
        return


@transaction.atomic
def gone(stripe_id: str) -> None:
    """Remove what the provider has taken off its customer by itself."""
    method = PaymentMethod.objects.filter(stripe_id=stripe_id, removed_at__isnull=True).first()
    if method is None:
        return
    User.objects.select_for_update().get(pk=method.user_id)
    PaymentMethod.objects.filter(pk=method.pk).usable().update(removed_at=timezone.now(), is_default=False)
    end_shares(method, reason="removed", actor="stripe")
    record("method.removed", subject=f"method:{method.pk}", actor="stripe", method_id=method.pk)
    ring("notifications.tasks.work_off")
    defaults.follow(method.user_id)


@transaction.atomic
def refresh(stripe_id: str, summary: MethodSummary) -> None:
    """Take over what the card network renewed: last four digits and expiry (FAULTS B28)."""
    now = {
        "last4": summary.last4, "expires_month": summary.expires_month, "expires_year": summary.expires_year,
        "fingerprint": summary.fingerprint,
    }  # fmt: skip
    standing = PaymentMethod.objects.filter(stripe_id=stripe_id, removed_at__isnull=True)
    if standing.exclude(**now).update(**now, expiry_told_days=None):
        record("method.renewed", subject=f"method:{stripe_id}", actor="stripe")
        ring("notifications.tasks.work_off")
