"""Telling ahead that help ends: each day of notice once, also where the day itself was missed; not where it goes on."""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from activity.recording import record
from assistance.models import Award

DAYS_AHEAD = {Award.Kind.ASSISTANCE: (30, 7), Award.Kind.CHARITABLE: (90, 60, 30)}
RENEWAL_DAYS = 60  # from then on a charitable subsidy can be applied for again


def tell(today: dt.date) -> int:
    """Record, for each award whose end is near, that it is: notices are made of it; how many. Harmless to repeat."""
    told = 0
    for kind, days_ahead in DAYS_AHEAD.items():
        last = today + dt.timedelta(days=max(days_ahead))
        ending = Award.objects.filter(kind=kind, revoked_at__isnull=True, end_on__range=(today, last))
        for award in ending.select_related("application").order_by("pk"):
            if award.is_succeeded:
                continue
            threshold = min(days for days in days_ahead if (award.end_on - today).days <= days)
            told += _tell(award, threshold)
    return told


@transaction.atomic
def _tell(award: Award, days: int) -> bool:
    untold = Award.objects.filter(Q(told_days__isnull=True) | Q(told_days__gt=days), pk=award.pk)
    if not untold.update(told_days=days):
        return False
    is_charitable = award.kind == Award.Kind.CHARITABLE
    _record(award, "charitable.ends" if is_charitable else "award.ends_soon", days)
    if is_charitable and days == RENEWAL_DAYS:
        _record(award, "charitable.renewal_due", days)
    return True


def _record(award: Award, kind: str, days: int) -> None:
    record(
        kind, subject=f"award:{award.pk}", owner_id=award.application.household_id, actor="system",
        award_id=award.pk, user_id=award.application.applicant_id, days=days,
    )  # fmt: skip
