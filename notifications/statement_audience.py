"""Whom a statement is for: the member apart from the holder whose own it is, else the primary holder."""

from collections.abc import Iterator

from accounts.models import Member
from activity.models import Event
from bills.models import Statement
from notifications.audience import Told


def reader_of_statement(event: Event) -> Iterator[Told]:
    """Who reads it, once. Needs `statement_id`. Who has no sign-in has it on paper: payments.paper_statements."""
    statement = Statement.objects.defer("content").filter(pk=event.data["statement_id"]).first()
    if statement is None:
        return
    whose = Member.objects.filter(user__isnull=False)
    if statement.member_id:
        member = whose.filter(pk=statement.member_id).first()
    else:
        member = whose.filter(household_id=statement.household_id, is_primary_holder=True).first()
    if member is not None and member.user_id is not None:
        yield Told(member.user_id, f"statement:{statement.number}", str(statement.pk))
