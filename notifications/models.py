"""What is told to whom, and when; and what each person wants to be told, how, and where to."""

import datetime as dt
from typing import ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import Trigger

# Whoever makes notices, and how: what is to be sent stands in the queue with them, or neither does.
QUEUE = """
    INSERT INTO notifications_queued (notification_id, due_at)
        SELECT id, next_try_at FROM new_rows WHERE status = 'waiting' AND channel <> 'letter';
    RETURN NULL;
"""


class Channel(models.TextChoices):
    """How a notice leaves. What goes by mail stands in the portal too."""

    MAIL = "mail", _("Email")
    TEXT = "text", _("Text message")
    LETTER = "letter", _("Letter")


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notices, and whose they are."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own, and nobody else's; none about the bill of a member whom the viewer sees no longer.

        What stopped being true before it was sent is no news, and a text repeats what stands here already.
        """
        scope = scope_of(viewer)
        return self.filter(
            Q(member_id__isnull=True) | Q(member_id__in=scope.member_ids),
            user_id=scope.user_id,
            channel=Channel.MAIL,
            is_void=False,
        )

    def unread(self) -> Self:
        """Those not read yet."""
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """One notice to one person by one channel, once for its `dedupe_key`. Nothing about health, no amount (FAULTS L01).

    `is_void`: it stopped being true, or its reader to see what it is about, before it left.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        KEPT = "kept", "In the portal only"
        DROPPED = "dropped", "Not sent, with reason"
        FAILED = "failed", "Failed"

    dedupe_key = models.CharField(max_length=120)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="notifications", db_index=False
    )
    # Whose bill it is about. No foreign key: reminders come by the hundred thousand.
    member_id = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=6, choices=Channel.choices, default=Channel.MAIL, db_default=Channel.MAIL)
    subject = models.CharField(max_length=80)
    address = models.EmailField(blank=True, db_default="")
    language = models.CharField(max_length=5, default="en", db_default="en")
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING, db_default=Status.WAITING)
    reason = models.CharField(max_length=200, blank=True, db_default="")
    is_void = models.BooleanField(default=False, db_default=False)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_try_at = models.DateTimeField(default=timezone.now, db_default=models.functions.Now())
    created_at = models.DateTimeField(default=timezone.now, db_default=models.functions.Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        # Not `unique=True`, which has a second index made of the key that nothing asks.
        constraints = [models.UniqueConstraint(name="notifications_told_once", fields=["dedupe_key"])]
        indexes = [
            models.Index(name="notifications_of_user", fields=["user", "-id"]),
            models.Index(
                name="notifications_unread",
                fields=["user"],
                condition=Q(read_at__isnull=True, is_void=False, channel="mail"),
            ),
        ]
        triggers: ClassVar[list[Trigger]] = [
            Trigger(
                name="queued",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
                func=QUEUE,
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Queued(models.Model):
    """A notice that waits to be worked off, put here by the database as it is made: notifications.claiming.

    Whoever claims it leases it until `leased_until`, counts a try, and says when it is about to be sent.
    """

    notification = models.OneToOneField(
        Notification, models.CASCADE, related_name="queued", primary_key=True, db_constraint=False
    )  # fmt: skip
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    deaths = models.PositiveSmallIntegerField(default=0, db_default=0)  # of senders that had begun it
    is_begun = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name_plural = "queued"
        indexes = [models.Index(name="notifications_due", fields=["due_at", "notification"])]

    def __str__(self) -> str:
        return f"queued notice {self.pk}"


class SentText(models.Model):
    """What a notice says, for staff to read: written just before it is sent, so that it is there if its sender dies."""

    notification = models.OneToOneField(Notification, models.PROTECT, related_name="sent_text", primary_key=True)
    subject = models.CharField(max_length=200)
    text = models.TextField()

    def __str__(self) -> str:
        return f"text of notice {self.notification_id}"


class PreferenceQuerySet(models.QuerySet["Preference"]):
    """What people want to be told, and whose choice it is."""

    def visible_to(self, viewer: Viewer) -> Self:
        """The viewer's own."""
        return self.filter(user_id=scope_of(viewer).user_id)


class Preference(models.Model):
    """Whether a person wants one kind of notice by one channel. No row: as the table of kinds says."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=6, choices=Channel.choices)
    is_wanted = models.BooleanField()
    changed_at = models.DateTimeField(auto_now=True)

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="notifications_preference_once", fields=["user", "kind", "channel"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"


class Delivery(models.Model):
    """How a person is written to: whether amounts may stand in mails, quiet hours, and the number texts go to."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="delivery", primary_key=True)
    states_amounts = models.BooleanField(default=False)
    quiet_from = models.TimeField(null=True, blank=True)  # in the portal's time zone; may run over midnight
    quiet_until = models.TimeField(null=True, blank=True)
    text_number = models.CharField(max_length=16, blank=True)  # E.164
    text_confirmed_at = models.DateTimeField(null=True, blank=True)
    text_stopped_at = models.DateTimeField(null=True, blank=True)
    code_digest = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                name="notifications_delivery_quiet_hours_whole",
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
            ),
        ]
        indexes = [models.Index(name="notifications_text_number", fields=["text_number"], condition=~Q(text_number=""))]

    def __str__(self) -> str:
        return f"delivery to user {self.user_id}"

    @property
    def takes_texts(self) -> bool:
        """Whether texts may be sent: a number that was confirmed, and no STOP since."""
        return bool(self.text_number) and self.text_confirmed_at is not None and self.text_stopped_at is None

    def quiet_end(self, at: dt.datetime) -> dt.datetime | None:
        """When the quiet hours end that hold at this moment; None where it is not quiet.

        By the portal's clock, which may repeat or skip an hour of the night (FAULTS E21, E22).
        """
        if self.quiet_from is None or self.quiet_until is None or self.quiet_from == self.quiet_until:
            return None
        here = timezone.localtime(at)
        clock = here.time().replace(tzinfo=None)
        over_midnight = self.quiet_from > self.quiet_until
        is_evening, is_morning = clock >= self.quiet_from, clock < self.quiet_until
        if not ((is_evening or is_morning) if over_midnight else (is_evening and is_morning)):
            return None
        day = here.date() + dt.timedelta(days=int(over_midnight and is_evening))
        return timezone.make_aware(dt.datetime.combine(day, self.quiet_until))


class Suppression(models.Model):
    """An address that is not written to: its mailbox is gone, or its owner complained. One row an address."""

    class Cause(models.TextChoices):
        BOUNCED = "bounced", "The mailbox does not take mail"
        COMPLAINED = "complained", "Marked as junk"
        STAFF = "staff", "By staff"

    address = models.EmailField(unique=True)  # in lower case
    cause = models.CharField(max_length=10, choices=Cause.choices)
    event_id = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"suppression {self.pk}"


class ReminderRun(models.Model):
    """A day whose reminders were made, and how many."""

    day = models.DateField(unique=True)
    made = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"reminders of {self.day}"
