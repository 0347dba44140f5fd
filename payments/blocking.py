"""Stopping a saved method that must not be charged: a bank said so, or its mandate has ended. Its owner is told why."""

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from payments import defaults
from payments.models import PaymentMethod

CLOSED = _("The bank says that this account is closed or cannot be found. Add another account or a card to pay with.")
UNAUTHORIZED = _(
    "The bank says that debits of this account were not authorized. To use it again, remove it, add it anew and agree "
    "to the authorization. If you did not ask for this, call us."
)
FROZEN = _("The bank does not allow debits of this account. Talk to your bank, or add another account or a card.")
MANDATE_ENDED = _("Your authorization to debit this account has ended. To use it again, add it anew and agree to it.")
OTHER = _("The bank has stopped payments from this account. Add another account or a card, or call us.")

# Return codes (Nacha; RULES section 3.3) and the provider's failure codes (docs.stripe.com, ACH Direct Debit).
REASONS: dict[str, Promise] = {
    **dict.fromkeys(("R02", "R03", "R04", "account_closed", "no_account", "bank_account_invalid"), CLOSED),
    **dict.fromkeys(("R05", "R07", "R10", "R11", "R29", "R51", "debit_not_authorized"), UNAUTHORIZED),
    **dict.fromkeys(("R13", "R16", "R20", "bank_account_restricted", "account_frozen"), FROZEN),
    "mandate_inactive": MANDATE_ENDED,
}


def reason_of(code: str) -> Promise:
    """Why a method is blocked and what to do, in plain words."""
    return REASONS.get(code, OTHER)


@transaction.atomic
def block(method: PaymentMethod, code: str, *, actor: str = "stripe") -> bool:
    """Stop a method for good, with the code of the reason; whether it was not stopped before.

    It is offered nowhere and no longer the default; its owner is told. Another adding of the same account, with a new
    mandate, takes its place.
    """
    User.objects.select_for_update().get(pk=method.user_id)  # first, as everywhere: then its methods
    blocked = PaymentMethod.objects.filter(pk=method.pk, blocked_at__isnull=True).update(
        blocked_at=timezone.now(), blocked_code=code[:60], is_default=False
    )
    if not blocked:
        return False
    record("method.blocked", subject=f"method:{method.pk}", actor=actor, method_id=method.pk, code=code)
    ring("notifications.tasks.work_off")
    defaults.follow(method.user_id)
    return True
