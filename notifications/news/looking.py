"""What looking up a notice gives: its news, or why it is not to be told any more."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from accounts.models import User
from notifications.models import Notification


class NotToBeSent(Exception):
    """A notice that has lost its reader or its truth since it was made; its text is the reason."""


@dataclass(frozen=True, slots=True)
class News:
    """Where a notice's news is read (a path of the portal), and what its templates may need."""

    path: str
    due_on: dt.date | None = None
    amount_cents: int | None = None
    count: int = 0
    news_count: int = 0
    text: str = ""  # what is copied word for word
    autopay_on: dt.date | None = None  # when autopay is to pay what is owed


Looked: TypeAlias = News | NotToBeSent
Family: TypeAlias = Callable[[Sequence[Notification]], dict[int, Looked]]


def name_of(notice: Notification) -> str:
    """What the notice is about, without its family: `7F3K-2201` of `bill:7F3K-2201`."""
    return notice.subject.partition(":")[2]


def reader(notice: Notification) -> User:
    """Who reads it. `notice.user` is at hand."""
    assert notice.user is not None
    return notice.user
