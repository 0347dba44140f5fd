"""What each person wants to be told and how. A required notice is mailed whatever was chosen (it says so there)."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from notifications.kinds import KINDS, Kind, Topic
from notifications.models import Channel, Delivery, Preference

CHANGED = "delivery.changed"


class RequiredNotice(Exception):
    """A notice that cannot be switched off."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One kind of notice and how it is had now."""

    kind: Kind
    by_mail: bool
    by_text: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What some people chose: looked up once for many notices."""

    rows: Mapping[tuple[int, str, str], bool]
    deliveries: Mapping[int, Delivery]

    def wants(self, user_id: int, kind: Kind, channel: str) -> bool:
        """Whether this person is to be told this by this channel."""
        if channel == Channel.TEXT:
            return self.rows.get((user_id, kind.name, channel), False)
        return kind.is_required or self.rows.get((user_id, kind.name, channel), kind.is_on_at_first)

    def delivery(self, user_id: int) -> Delivery:
        """How this person is written to; for who has said nothing, a row that is not saved."""
        return self.deliveries.get(user_id) or Delivery(user_id=user_id)


def chosen_by(user_ids: Iterable[int]) -> Choices:
    """What these people chose: two queries."""
    ids = set(user_ids)
    rows = Preference.objects.filter(user_id__in=ids).values_list("user_id", "kind", "channel", "is_wanted")
    deliveries = Delivery.objects.in_bulk(ids)
    return Choices({(user, kind, channel): wanted for user, kind, channel, wanted in rows}, deliveries)


def of(user: User) -> dict[Topic, list[Choice]]:
    """Every kind with what this person chose, by topic, in the table's order."""
    choices = chosen_by([user.pk])
    found: dict[Topic, list[Choice]] = {topic: [] for topic in Topic}
    for kind in KINDS.values():
        by_mail, by_text = (choices.wants(user.pk, kind, channel) for channel in (Channel.MAIL, Channel.TEXT))
        found[kind.topic].append(Choice(kind, by_mail, by_text))
    return {topic: rows for topic, rows in found.items() if rows}


@transaction.atomic
def choose(user: User, wanted: Collection[tuple[str, str]], *, channels: Collection[str]) -> int:
    """Choose for every kind, by each of `channels`: `wanted` holds (kind, channel) of what is. How many changed.

    Required mails stay on, whatever is said about them.
    """
    rows = chosen_by([user.pk])
    changed = 0
    for kind in KINDS.values():
        for channel in channels:
            is_fixed = kind.is_required and channel == Channel.MAIL
            is_wanted = (kind.name, channel) in wanted
            if not is_fixed and rows.wants(user.pk, kind, channel) != is_wanted:
                _set(user.pk, kind, channel, is_wanted=is_wanted)
                changed += 1
    return changed


@transaction.atomic
def switch_off(user_id: int, topic: str) -> int:
    """Switch off every mail of a topic that is not required; how many were on. A repeat changes nothing."""
    kinds = [kind for kind in KINDS.values() if kind.topic == topic and not kind.is_required]
    rows = chosen_by([user_id])
    on = [kind for kind in kinds if rows.wants(user_id, kind, Channel.MAIL)]
    for kind in on:
        _set(user_id, kind, Channel.MAIL, is_wanted=False)
    if on:
        record("notices.switched_off", subject=f"user:{user_id}", actor=f"user:{user_id}", topic=topic)
    return len(on)


@transaction.atomic
def write_as(user: User, *, states_amounts: bool, quiet_from: dt.time | None, quiet_until: dt.time | None) -> Delivery:
    """Choose whether mails may state amounts, and the quiet hours; both ends of them or neither."""
    delivery, _is_new = Delivery.objects.select_for_update().get_or_create(user=user)
    was = (delivery.states_amounts, delivery.quiet_from, delivery.quiet_until)
    if was != (states_amounts, quiet_from, quiet_until):
        delivery.states_amounts, delivery.quiet_from, delivery.quiet_until = states_amounts, quiet_from, quiet_until
        delivery.save(update_fields=["states_amounts", "quiet_from", "quiet_until"])
        changed(user.pk, "amounts" if was[0] != states_amounts else "quiet_hours")
    return delivery


def changed(user_id: int, what: str) -> None:
    """Record that the way a person is reached was changed; a notice confirms it."""
    record(CHANGED, subject=f"user:{user_id}", actor=f"user:{user_id}", reason=what)
    ring("notifications.tasks.work_off")


def _set(user_id: int, kind: Kind, channel: str, *, is_wanted: bool) -> None:
    if kind.is_required and channel == Channel.MAIL and not is_wanted:
        raise RequiredNotice(kind.name)
    Preference.objects.update_or_create(
        user_id=user_id, kind=kind.name, channel=channel, defaults={"is_wanted": is_wanted}
    )
