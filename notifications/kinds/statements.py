"""Notices of statements and of charges for paying late."""

from django.utils.translation import gettext_lazy as _

from notifications import statement_audience
from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="statement_ready", label=_("Your statement is ready"), topic=Topic.BILLS, events=("statement.issued",),
        told=statement_audience.reader_of_statement, may_state_amount=True,
    ),
)  # fmt: skip
