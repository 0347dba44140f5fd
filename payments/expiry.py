"""Telling a card's owner ahead that it expires: 30 and 7 days before its last day, once each."""

import calendar
import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from activity.doorbell import ring
from activity.recording import record
from payments.models import PaymentMethod

NOTICE_DAYS = (30, 7)


def last_day(method: PaymentMethod) -> dt.date | None:
    """The last day on which a card is good; None for a method that does not expire."""
    if method.expires_year is None or method.expires_month is None:
        return None
    days = calendar.monthrange(method.expires_year, method.expires_month)[1]
    return dt.date(method.expires_year, method.expires_month, days)


def days_left(method: PaymentMethod, today: dt.date | None = None) -> int | None:
    """How many days a card is still good, negative once it has expired; None for a method that does not expire."""
    last = last_day(method)
    return None if last is None else (last - (today or timezone.localdate())).days


def tell(today: dt.date) -> int:
    """Record `method.expiring` for each card whose time has come; how many. Safe to repeat on the same day."""
    horizon = today + dt.timedelta(days=max(NOTICE_DAYS))
    months = Q(expires_year=today.year, expires_month=today.month)
    months |= Q(expires_year=horizon.year, expires_month=horizon.month)
    told = 0
    for method in PaymentMethod.objects.filter(months, kind=PaymentMethod.Kind.CARD).ready().iterator():
        left = days_left(method, today)
        stage = min((days for days in NOTICE_DAYS if left is not None and 0 <= left <= days), default=None)
        if stage is not None:
            told += _tell(method, stage)
    return told


@transaction.atomic
def _tell(method: PaymentMethod, stage: int) -> bool:
    """Once a stage: the later notice is never followed by the earlier one."""
    untold = Q(expiry_told_days__isnull=True) | Q(expiry_told_days__gt=stage)
    if not PaymentMethod.objects.filter(untold, pk=method.pk).update(expiry_told_days=stage):
        return False
    record("method.expiring", subject=f"method:{method.pk}", actor="system", method_id=method.pk, days=stage)
    ring("notifications.tasks.work_off")
    return True
