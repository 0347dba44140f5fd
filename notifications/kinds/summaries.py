"""Summaries: made by digest.py."""

from django.utils.translation import gettext_lazy as _

from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="weekly_digest", label=_("Your family's week"), topic=Topic.SUMMARIES, is_on_at_first=False,
        may_state_amount=True,
    ),
)  # fmt: skip
