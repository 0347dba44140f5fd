"""Leave to debit a bank account: its words shown before the click, kept as they were, sent as a copy, and its end.

Reg E 12 CFR 1005.10(b) and the Nacha rules for WEB debits: what is authorised, in which amount, how it is revoked, and
a copy for the consumer; kept for two years after its end and longer, since nothing here deletes it (RULES section 3).
"""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from payments import fees
from payments.models import Mandate, MethodSetup, Payment, PaymentMethod
from payments.provider import Accepted

VERSION = "2026-11"  # of the words below: change it with them
MAX_AGENT = 500


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who agreed, from where: the network address and the browser of the click, and the language that was read."""

    address: str
    user_agent: str
    language: str


def text_for_saving(last4: str, *, state: str = "") -> str:
    """What is agreed to when a bank account is saved. `state`: the owner's, for the fee that may be due there."""
    text = _(
        "By choosing “Agree and add this account” you authorize %(portal)s to debit your bank account ending in "
        "%(last4)s, and to credit it to correct an error or to send money back, for payments that you start yourself, "
        "that you schedule, or that you set up as automatic payments or as a payment plan, each in the amount and on "
        "the day that you choose or that we tell you beforehand. This authorization stays in force until you revoke "
        "it: remove the account under Payment methods, or call %(phone)s at least 3 business days before a planned "
        "payment. A payment that is already on its way is not stopped by this."
    ) % {"portal": settings.PORTAL_NAME, "last4": last4, "phone": settings.SUPPORT_PHONE}
    return _with_fee(text, state)


def text_for_payment(payment: Payment) -> str:
    """What is agreed to when a bank account pays once. The amount is beside it, and in the payment that it names."""
    text = _(
        "By choosing “Pay” you authorize %(portal)s to debit your bank account ending in %(last4)s once, on or after "
        "today, for the amount of payment %(number)s as it is shown here, and to credit the account to correct an "
        "error or to send money back. To withdraw this authorization before the debit is made, call %(phone)s the "
        "same day."
    ) % {
        "portal": settings.PORTAL_NAME,
        "last4": payment.method_last4,
        "number": payment.number,
        "phone": settings.SUPPORT_PHONE,
    }
    text = _with_fee(text, payment.household.state)
    if not payment.saves_method:
        return text
    later = _(
        "You also ask us to keep the account, and authorize %(portal)s to debit it for later payments that you start "
        "yourself, that you schedule, or that you set up as automatic payments or as a payment plan, each in the "
        "amount and on the day that you choose or that we tell you beforehand, until you revoke it: remove the account "
        "under Payment methods, or call us at least 3 business days before a planned payment."
    ) % {"portal": settings.PORTAL_NAME}
    return f"{text} {later}"


def state_of(user: User) -> str:
    """The state that a user's household is in; empty for who has none."""
    return user.members.order_by("pk").values_list("household__state", flat=True).first() or ""


def _with_fee(text: str, state: str) -> str:
    """The words, and the fee for a returned payment where one may be charged: unread, it is not (RULES section 10)."""
    return f"{text} {fee}" if (fee := fees.disclosure(state, on=timezone.localdate())) else text


def is_needed(payment: Payment) -> bool:
    """Whether a payment needs a mandate of its own: by a bank account that is not a saved one."""
    return payment.method_kind == PaymentMethod.Kind.BANK_ACCOUNT and payment.method_id is None


@transaction.atomic
def accept_payment(payment: Payment, acceptance: Acceptance) -> Mandate:
    """Keep what the payer agreed to with the click that sends a payment; the first such click counts."""
    with translation.override(acceptance.language):
        text = text_for_payment(payment)
    mandate, is_new = Mandate.objects.get_or_create(
        payment=payment, defaults={"user": payment.payer, "last4": payment.method_last4} | _kept(text, acceptance)
    )
    if is_new:
        _tell(mandate)
    return mandate


@transaction.atomic
def accept_setup(setup: MethodSetup, acceptance: Acceptance) -> Mandate:
    """Keep what the owner agreed to with the click that adds a bank account; the first such click counts."""
    with translation.override(acceptance.language):
        text = text_for_saving(setup.last4, state=state_of(setup.user))
    named = {"user": setup.user, "last4": setup.last4, "bank_name": setup.bank_name}
    mandate, is_new = Mandate.objects.get_or_create(setup=setup, defaults=named | _kept(text, acceptance))
    if is_new:
        _tell(mandate)
    return mandate


def accepted(mandate: Mandate | None) -> Accepted | None:
    """How a mandate was agreed to, for the provider."""
    if mandate is None or mandate.address is None:
        return None
    return Accepted(at=mandate.accepted_at, address=mandate.address, user_agent=mandate.user_agent)


def of_payment(payment: Payment) -> Mandate | None:
    """The mandate under which a payment was debited: its own, or that of its saved account; None for a card."""
    own = Mandate.objects.filter(payment=payment).first()
    if own is not None or payment.method is None:
        return own
    return of_method(payment.method)


def of_method(method: PaymentMethod) -> Mandate | None:
    """The mandate of a saved account: the latest."""
    return Mandate.objects.filter(method=method).order_by("-accepted_at", "-pk").first()


def note_provider_id(mandate: Mandate, stripe_id: str, *, fingerprint: str = "") -> None:
    """Keep the provider's id of a mandate, so that its own news of it is understood."""
    changes = {"stripe_id": stripe_id} if stripe_id else {}
    if fingerprint:
        changes["fingerprint"] = fingerprint
    if changes:
        Mandate.objects.filter(pk=mandate.pk).update(**changes)


def revoke(method: PaymentMethod) -> None:
    """End a method's mandates because its owner took it away. Their words are kept."""
    Mandate.objects.filter(method=method, status=Mandate.Status.ACTIVE).update(
        status=Mandate.Status.REVOKED, ended_at=timezone.now()
    )


def deactivate(mandate: Mandate) -> bool:
    """End a mandate that the bank or the provider has ended; whether it was in force until now."""
    return bool(
        Mandate.objects.filter(pk=mandate.pk, status=Mandate.Status.ACTIVE).update(
            status=Mandate.Status.INACTIVE, ended_at=timezone.now()
        )
    )


def _kept(text: str, acceptance: Acceptance) -> dict[str, str | dt.datetime]:
    return {
        "text": text,
        "version": VERSION,
        "language": acceptance.language[:5],
        "accepted_at": timezone.now().replace(microsecond=0),
        "address": acceptance.address,
        "user_agent": acceptance.user_agent[:MAX_AGENT] or "unknown",
    }


def _tell(mandate: Mandate) -> None:
    """Tell who gave it, with a copy. A guest's copy stands on the guest's receipt."""
    if mandate.user_id is not None:
        record("mandate.accepted", subject=f"mandate:{mandate.pk}", actor=f"user:{mandate.user_id}")
        ring("notifications.tasks.work_off")
