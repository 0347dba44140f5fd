"""Notices of statements, as things stand now."""

from collections.abc import Sequence

from django.urls import reverse

from accounts.visibility import scope_of
from bills.models import Statement
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of, reader
from payments import statement_reading


def of_statements(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Read by whom it is for, and only as far as its reader sees it at the moment of sending (FAULTS F09)."""
    statements = {
        each.number: each for each in Statement.objects.filter(number__in=[name_of(each) for each in notices])
    }
    found: dict[int, Looked] = {}
    for notice in notices:
        statement, scope = statements.get(name_of(notice)), scope_of(reader(notice))
        if statement is None or not Statement.objects.visible_to(scope).filter(pk=statement.pk).exists():
            found[notice.pk] = NotToBeSent("the statement is not the user's to read")
            continue
        read = statement_reading.read(statement, scope)
        if not read.rows:
            found[notice.pk] = NotToBeSent("the reader sees nothing of the statement any more")
            continue
        found[notice.pk] = News(reverse("statement", args=[statement.number]), read.due_on, read.due_cents)
    return found
