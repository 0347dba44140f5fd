"""The notices of one reader in the portal: the list, where each leads, and what was read."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts import keyset
from accounts.visibility import Scope
from assistance.models import Award
from bills.models import Bill, GracePeriod
from notifications.kinds import KINDS, Topic
from notifications.models import Notification
from payments.models import AutopayConsent

PAGE_SIZE = 25
MOST_READ_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """One notice as it is listed. `is_settled`: the bill that it is about is paid by now."""

    notice: Notification
    label: str
    about: str
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of notices."""

    rows: list[Row]
    previous: str
    next: str


def listed(scope: Scope, *, topic: str = "", is_unread: bool = False, cursor: str = "") -> Listed:
    """A page of what the reader was told, the latest first: two queries."""
    notices = Notification.objects.visible_to(scope)
    if topic in Topic.values:
        notices = notices.filter(kind__in=[kind.name for kind in KINDS.values() if kind.topic == topic])
    if is_unread:
        notices = notices.unread()
    page = keyset.page(notices, key=("-id",), size=PAGE_SIZE, cursor=cursor, reader=f"notices:{scope.user_id}")
    settled = _settled([notice.subject for notice in page.rows], scope)
    rows = [
        Row(notice, str(KINDS[notice.kind].label) if notice.kind in KINDS else notice.kind, _about(notice.subject),
            notice.subject in settled)
        for notice in page.rows
    ]  # fmt: skip
    return Listed(rows, page.previous, page.next)


def mark_read(scope: Scope, notice_id: int) -> bool:
    """Mark one notice read; whether it is the reader's."""
    mine = Notification.objects.visible_to(scope).filter(pk=notice_id)
    return bool(mine.unread().update(read_at=timezone.now())) or mine.exists()


def mark_all_read(scope: Scope, *, before: dt.datetime) -> int:
    """Mark read what had come when the list was shown; how many."""
    some = Notification.objects.visible_to(scope).unread().filter(created_at__lte=before).order_by("pk")
    ids = list(some.values_list("pk", flat=True)[:MOST_READ_AT_ONCE])
    return Notification.objects.filter(pk__in=ids).update(read_at=timezone.now())


def destination(notice: Notification) -> str:
    """The page of the very thing that a notice is about; that page asks for itself who may see it."""
    family, _colon, name = notice.subject.partition(":")
    if notice.kind == "help_credit":  # as its mail does: to what can be sent back
        return reverse("overpaid")
    if notice.kind == "help_ended":  # beside the letter that says why
        number = Award.objects.filter(pk=name).values_list("application__number", flat=True).first()
        return reverse("application", args=[number]) if number else reverse("assistance")
    if family == "grace":
        coverage_id = GracePeriod.objects.filter(pk=name).values_list("coverage_id", flat=True).first()
        return f"{reverse('premiums')}?coverage={coverage_id}"
    if family == "consent":
        enrollment_id = AutopayConsent.objects.filter(pk=name).values_list("enrollment_id", flat=True).first()
        return reverse("autopay_enrollment", args=[enrollment_id]) if enrollment_id else reverse("autopay")
    named = {"bill": "bill", "payment": "payment", "autopay": "autopay_enrollment", "charge": "autopay_charge",
             "inquiry": "inquiry", "plan": "plan", "statement": "statement", "application": "application"}  # fmt: skip
    plain = {"method": "payment_methods", "mandate": "payment_methods", "share": "payment_methods",
             "household": "notification_settings", "user": "notification_settings",
             "member": "settings", "digest": "overview", "delegate": "delegates",
             "invitation": "delegates", "award": "assistance", "departure": "leaving", "sight": "family"}  # fmt: skip
    return reverse(named[family], args=[name]) if family in named else reverse(plain.get(family, "notifications"))


def _about(subject: str) -> str:
    """The number of the bill or payment."""
    family, _colon, name = subject.partition(":")
    return name if family in ("bill", "payment", "statement") else ""


def _settled(subjects: list[str], scope: Scope) -> set[str]:
    numbers = [subject.removeprefix("bill:") for subject in subjects if subject.startswith("bill:")]
    done = Q(receivable__balance_cents__lte=0) | Q(voided_at__isnull=False)
    bills = Bill.objects.visible_to(scope).filter(done, number__in=numbers) if numbers else Bill.objects.none()
    return {f"bill:{number}" for number in bills.values_list("number", flat=True)}
