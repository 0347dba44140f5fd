"""What happens to a question after it was asked: messages, answers, who has it in hand, and its end.

Each change names the states it expects; where somebody was quicker, it raises and nothing has happened.
"""

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from accounts.models import Upload, User
from activity.recording import close_work, record
from bills import holds
from bills.models import Hold
from support import asking, clock, files
from support.models import Inquiry, Message

Status = Inquiry.Status
SAME_WITHIN = dt.timedelta(minutes=2)
UNSETTLED = (Status.OPEN, Status.ANSWERED)


class StateChanged(Exception):
    """The question is not in a state that allows this any more: somebody was quicker."""


@transaction.atomic
def add(inquiry: Inquiry, *, by: User, text: str, upload: Upload | None = None) -> Message:
    """A further message of the member's side, with a file if there is one: open again, its clock begins anew.

    A closed one is opened again too.
    """
    now = timezone.now()
    Inquiry.objects.select_for_update().get(pk=inquiry.pk)
    latest = inquiry.messages.last()
    if latest is not None and _is_same(latest, by, text, upload) and now - latest.at < SAME_WITHIN:
        return latest  # the same form, sent twice
    _move(inquiry, (*UNSETTLED, Status.CLOSED), Status.OPEN, actor=f"user:{by.pk}", due_at=clock.due_at(now),
          closed_at=None, close_reason="")  # fmt: skip
    message = Message.objects.create(inquiry=inquiry, author=by, text=text, upload=upload)
    files.keep_on(inquiry)
    asking.wait_for_staff(inquiry, message)
    return message


@transaction.atomic
def answer(inquiry: Inquiry, *, by: User, text: str, keeps_hold: bool = False) -> Message:
    """Answer a question; the bill goes on unless the answer is not final. Raises StateChanged where it is closed."""
    _move(inquiry, UNSETTLED, Status.ANSWERED, actor=f"user:{by.pk}", due_at=None)
    message = _say(inquiry, by, text)
    _settle_work(inquiry, "answered")
    if not keeps_hold:
        holds.end_all_of(inquiry.reference, by=by)
    return message


@transaction.atomic
def close(inquiry: Inquiry, *, by: User | None, reason: str, text: str = "") -> None:
    """End a question with a reason, and the hold that it caused; tell the member where there is something to tell.

    Raises StateChanged where it is closed already.
    """
    actor = f"user:{by.pk}" if by else "system"
    _move(inquiry, UNSETTLED, Status.CLOSED, actor=actor, reason=reason, due_at=None, closed_at=timezone.now(),
          close_reason=reason)  # fmt: skip
    if text:
        _say(inquiry, by, text)
    files.let_go(inquiry)
    _settle_work(inquiry, "closed")
    holds.end_all_of(inquiry.reference, by=by)


@transaction.atomic
def assign(inquiry: Inquiry, *, to: User, by: User) -> None:
    """Give a question to somebody of staff. Raises StateChanged where it is closed."""
    if not Inquiry.objects.filter(pk=inquiry.pk, status__in=UNSETTLED).update(assigned_to=to):
        raise StateChanged("the question is closed")
    record(
        "inquiry.assigned", subject=f"inquiry:{inquiry.number}", owner_id=inquiry.household_id, actor=f"user:{by.pk}",
        to_user=to.pk,
    )  # fmt: skip


@transaction.atomic
def hold(inquiry: Inquiry, *, by: User, reason: str) -> None:
    """Let the bill of a question wait. Raises StateChanged where it is closed or has no bill."""
    if inquiry.bill is None or not Inquiry.objects.filter(pk=inquiry.pk, status__in=UNSETTLED).exists():
        raise StateChanged("the question is closed, or about no bill")
    cause = asking.cause_of(inquiry.topic, inquiry.flag)
    holds.begin(inquiry.bill, cause=cause, reference=inquiry.reference, reason=reason[:200], by=by)


def release(inquiry: Inquiry, *, by: User) -> int:
    """Let the bill of a question go on; how many holds ended."""
    return holds.end_all_of(inquiry.reference, by=by)


def is_holding(inquiry: Inquiry) -> bool:
    """Whether the question lets its bill wait now."""
    return Hold.objects.standing().filter(reference=inquiry.reference).exists()


def _is_same(message: Message, by: User, text: str, upload: Upload | None) -> bool:
    sent, before = (file.sha256 if file is not None else "" for file in (upload, message.upload))
    return (message.author_id, message.text, before) == (by.pk, text, sent)


def _say(inquiry: Inquiry, by: User | None, text: str) -> Message:
    message = Message.objects.create(inquiry=inquiry, author=by, is_from_plan=True, text=text)
    record(
        "inquiry.answered", subject=f"inquiry:{inquiry.number}", owner_id=inquiry.household_id,
        actor=f"user:{by.pk}" if by else "system", inquiry_id=inquiry.pk, message_id=message.pk,
    )  # fmt: skip
    return message


def _settle_work(inquiry: Inquiry, how: str) -> None:
    for message in inquiry.messages.filter(is_from_plan=False):
        close_work(asking.work_key(message), reason=f"The question was {how}.")


def _move(
    inquiry: Inquiry, expected: Collection[str], to: Status, *, actor: str, reason: str = "", **fields: object
) -> None:
    before = Inquiry.objects.select_for_update().values_list("status", flat=True).get(pk=inquiry.pk)
    if before not in expected or not Inquiry.objects.filter(pk=inquiry.pk, status=before).update(status=to, **fields):
        raise StateChanged(f"inquiry {inquiry.pk} is {before}")
    inquiry.refresh_from_db()
    record(
        f"inquiry.{to}" if to != Status.ANSWERED else "inquiry.moved", subject=f"inquiry:{inquiry.number}",
        owner_id=inquiry.household_id, actor=actor, from_status=before, to_status=to, reason=reason,
        inquiry_id=inquiry.pk,
    )  # fmt: skip
