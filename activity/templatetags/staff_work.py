"""What the first page of the staff's side says of the queue."""

from dataclasses import dataclass

from django import template
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Min

from activity.models import WorkItem
from activity.staff import listed

register = template.Library()


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many items of a kind wait, since when, and where they are."""

    label: str
    count: int
    since: object
    address: str


@register.simple_tag
def open_work(user: AbstractBaseUser | AnonymousUser) -> list[Waiting]:
    """The open work items by kind, the oldest first; none for who may not see the queue."""
    if not user.has_perm("activity.view_workitem"):  # type: ignore[union-attr]
        return []
    rows = (
        WorkItem.objects.filter(done_at__isnull=True)
        .values_list("kind")
        .annotate(count=Count("pk"), since=Min("opened_at"))
        .order_by("since")
    )
    return [
        Waiting(str(WorkItem.Kind(kind).label), count, since, listed("activity_workitem", kind__exact=kind))
        for kind, count, since in rows
    ]
