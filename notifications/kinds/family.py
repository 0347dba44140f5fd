"""Notices of who acts for whom, who sees whom, and of confidential communications."""

from django.utils.translation import gettext_lazy as _

from notifications import audience_family as audience
from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="delegate_invited", label=_("Somebody was invited to act for you"), topic=Topic.FAMILY,
        events=("delegate.invited",), told=audience.inviters, is_required=True, is_security=True,
    ),
    Kind(
        name="delegate_accepted", label=_("Somebody can act for you now"), topic=Topic.FAMILY,
        events=("delegate.accepted",), told=audience.granters, is_required=True, is_security=True,
    ),
    Kind(
        name="delegate_ended", label=_("Somebody can no longer act for you"), topic=Topic.FAMILY,
        events=("delegate.ended",), told=audience.granters_at_end, is_required=True, is_security=True,
    ),
    Kind(
        name="acting_ended", label=_("You can no longer act for somebody"), topic=Topic.FAMILY,
        events=("delegate.ended",), told=audience.delegates_at_end, is_required=True,
    ),
    Kind(
        name="confidential_began", label=_("Confidential communications are in force"), topic=Topic.FAMILY,
        events=("confidential.began",), told=audience.member_alone, is_required=True, is_security=True,
    ),
    Kind(
        name="confidential_ended", label=_("Confidential communications have ended"), topic=Topic.FAMILY,
        events=("confidential.ended",), told=audience.member_alone, is_required=True, is_security=True,
    ),
)  # fmt: skip
