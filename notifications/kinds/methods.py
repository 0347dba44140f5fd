"""Notices of payment methods."""

from django.utils.translation import gettext_lazy as _

from notifications import audience
from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="method_kept", label=_("A card was saved"), topic=Topic.METHODS, events=("method.kept",),
        told=audience.method_owner, is_required=True, is_security=True,
    ),
    Kind(
        name="method_removed", label=_("A saved card was removed"), topic=Topic.METHODS,
        events=("method.removed",), told=audience.method_owner, is_required=True, is_security=True,
    ),
    Kind(
        name="method_pending", label=_("Verify your bank account"), topic=Topic.METHODS,
        events=("method.pending",), told=audience.method_owner, is_required=True,
    ),
    Kind(
        name="method_verified", label=_("Your bank account is verified"), topic=Topic.METHODS,
        events=("method.verified",), told=audience.method_owner, is_required=True, is_security=True,
    ),
    Kind(
        name="method_unverified", label=_("Your bank account could not be verified"), topic=Topic.METHODS,
        events=("method.verification_failed",), told=audience.method_owner, is_required=True,
    ),
    Kind(
        name="method_blocked", label=_("A payment method cannot be used any more"), topic=Topic.METHODS,
        events=("method.blocked",), told=audience.method_owner, is_required=True,
    ),
    Kind(
        name="method_expiring", label=_("A card expires soon"), topic=Topic.METHODS,
        events=("method.expiring",), told=audience.method_owner_each_time,
    ),
    Kind(
        name="method_shared", label=_("You shared a payment method"), topic=Topic.METHODS,
        events=("method.shared",), told=audience.method_owner_each_time, is_required=True, is_security=True,
    ),
    Kind(
        name="share_begun", label=_("A payment method was shared with you"), topic=Topic.METHODS,
        events=("method.shared",), told=audience.shared_with,
    ),
    Kind(
        name="mandate_copy", label=_("A copy of your bank authorization"), topic=Topic.METHODS,
        events=("mandate.accepted",), told=audience.mandate_giver, is_required=True, is_security=True,
    ),
    Kind(
        name="method_renewed", label=_("A saved card was renewed"), topic=Topic.METHODS,
        events=("method.renewed",), told=audience.method_owner_each_time,
    ),
)  # fmt: skip
