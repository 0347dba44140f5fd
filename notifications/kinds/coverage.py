"""Notices of the coverage clock: grace begins, ends soon, is cured, or coverage ends. None can be switched off.

Required by 45 CFR 156.270(f), 42 CFR 422.74(d), 28 CCR 1300.65 and their like: who has no sign-in gets a letter.
"""

from django.utils.translation import gettext_lazy as _

from notifications import coverage_audience
from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="grace_began", label=_("Your grace period has begun"), topic=Topic.BILLS,
        events=("coverage.grace_began",), told=coverage_audience.readers_of_grace, is_required=True,
        may_state_amount=True,
    ),
    Kind(
        name="grace_ends_soon", label=_("Your grace period ends soon"), topic=Topic.BILLS,
        events=("coverage.grace_ends_soon",), told=coverage_audience.readers_of_grace, is_required=True,
        may_state_amount=True,
    ),
    Kind(
        name="grace_cured", label=_("Your coverage goes on"), topic=Topic.BILLS, events=("coverage.grace_cured",),
        told=coverage_audience.readers_of_grace,
    ),
    Kind(
        name="coverage_ended", label=_("Your coverage has ended"), topic=Topic.BILLS,
        events=("coverage.grace_ended",), told=coverage_audience.readers_of_grace, is_required=True,
    ),
)  # fmt: skip
