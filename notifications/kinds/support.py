"""Notices of questions to Member Services: that there is an answer, and nothing of it."""

from django.utils.translation import gettext_lazy as _

from notifications import audience
from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="inquiry_answered", label=_("There is an answer to your question"), topic=Topic.SUPPORT,
        events=("inquiry.answered",), told=audience.asker_of_inquiry, is_required=True,
    ),
)  # fmt: skip
