"""What the first page of the staff's side says of the queue, and how its tables name their cells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django import template
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Min
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

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


@register.filter
def under(cells: Iterable[object], heads: Iterable[object]) -> list[tuple[object, object]]:
    """Each cell of a row with the head it stands under."""
    return list(zip(heads, cells, strict=False))


@register.filter
def named_cells(row: Iterable[SafeString], headers: Iterable[Mapping[str, object]]) -> list[SafeString]:
    """The cells of a list, as the admin made them, each naming its column: on a phone a row is a card of these."""
    return [_named(cell, str(header["text"])) for header, cell in zip(headers, row, strict=False)]


def _named(cell: SafeString, name: str) -> SafeString:
    tag, rest = cell[:3], cell[3:]  # `<td class="…">…` or `<th class="…">…`, escaped by the admin
    role = "rowheader" if tag == "<th" else "cell"
    return mark_safe(tag + format_html(' role="{}" data-label="{}"', role, capfirst(name)) + rest)  # noqa: S308
