"""Notices of security and settings."""

from django.utils.translation import gettext_lazy as _

from notifications import audience
from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="paperless_changed", label=_("How you get your documents was changed"), topic=Topic.SECURITY,
        events=("household.paperless",), told=audience.household_holder, is_required=True,
    ),
    Kind(
        name="delivery_changed", label=_("How we reach you was changed"), topic=Topic.SECURITY,
        events=("delivery.changed",), told=audience.actor, is_required=True, is_security=True,
    ),
    Kind(
        name="second_claim", label=_("Somebody tried to connect your membership"), topic=Topic.SECURITY,
        events=("enrolment.second_claim",), told=audience.holder_of_claimed_member, is_required=True,
        is_security=True,
    ),
)  # fmt: skip
