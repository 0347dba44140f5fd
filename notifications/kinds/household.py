"""Notices of who leaves a household, comes of age on it, and lets its holder see: they name nobody."""

from django.utils.translation import gettext_lazy as _

from notifications import audience_household as audience
from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="of_age_ahead", label=_("Somebody on your account turns 18 soon"), topic=Topic.FAMILY,
        events=("departure.of_age_ahead",), told=audience.both, is_required=True,
    ),
    Kind(
        name="departure_planned", label=_("Somebody is to leave the household"), topic=Topic.FAMILY,
        events=("departure.planned", "departure.changed"), told=audience.both, is_required=True, is_security=True,
    ),
    Kind(
        name="departure_canceled", label=_("Leaving the household was called off"), topic=Topic.FAMILY,
        events=("departure.canceled",), told=audience.both, is_required=True, is_security=True,
    ),
    Kind(
        name="departure_done", label=_("Somebody's bills are now their own"), topic=Topic.FAMILY,
        events=("departure.done",), told=audience.both_at_the_end, is_required=True,
    ),
    Kind(
        name="holder_asked", label=_("You are asked to hold the account"), topic=Topic.FAMILY,
        events=("departure.holder_asked",), told=audience.who_is_asked, is_required=True, is_security=True,
    ),
    Kind(
        name="holder_changed", label=_("Another person holds the account"), topic=Topic.FAMILY,
        events=("departure.holder_changed",), told=audience.both, is_required=True, is_security=True,
    ),
    Kind(
        name="account_closed", label=_("The account is closed"), topic=Topic.FAMILY,
        events=("departure.account_closed",), told=audience.both, is_required=True,
    ),
    Kind(
        name="account_reopened", label=_("The account is open again"), topic=Topic.FAMILY,
        events=("departure.account_reopened",), told=audience.both, is_required=True,
    ),
    Kind(
        name="sight_given", label=_("The account holder sees somebody's bills again"), topic=Topic.FAMILY,
        events=("sight.given",), told=audience.both_of_sight, is_required=True, is_security=True,
    ),
    Kind(
        name="sight_ended", label=_("The account holder no longer sees somebody's bills"), topic=Topic.FAMILY,
        events=("sight.taken_back",), told=audience.both_of_sight, is_required=True, is_security=True,
    ),
)  # fmt: skip
