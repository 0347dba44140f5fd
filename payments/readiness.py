"""Whether a saved method can pay now, for this person; asked again at the moment of the charge."""

from django.utils.translation import gettext as _

from accounts.models import User
from payments import blocking
from payments.models import MethodShare, PaymentMethod


def why_not(method: PaymentMethod, payer: User | None) -> str:
    """Why a method cannot be charged for this payer, in words; empty where it can."""
    if method.removed_at is not None or not is_allowed(method, payer):
        return _("That payment method was removed. Choose another.")
    if method.blocked_at is not None:
        return str(blocking.reason_of(method.blocked_code))
    if method.state == PaymentMethod.State.PENDING:
        return _("This bank account is not verified yet. Verify it under Payment methods, or pay in another way.")
    if method.state == PaymentMethod.State.FAILED:
        return _("This bank account could not be verified. Choose another way to pay.")
    return ""


def is_allowed(method: PaymentMethod, payer: User | None) -> bool:
    """Whether the payer owns the method, or its owner shares it with the payer at this moment (FAULTS F11)."""
    if payer is None:
        return False
    if method.user_id == payer.pk:
        return True
    return MethodShare.objects.in_force().filter(method=method, member__user_id=payer.pk).exists()
