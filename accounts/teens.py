"""Of a teenager others are lent paying alone: from that birthday on nobody sees by a parent's leave (RULES section 6).

The age is the region's (accounts.consent_rules). What is granted for a child ends at that midnight by its own date.
"""

import datetime as dt

from django.db.models import F, Q

from accounts import delegates
from accounts.ages import ADULT_AT, latest_birth
from accounts.models import Delegate

BATCH = 1_000
REASON = "old enough to decide who sees"


def end_due(today: dt.date) -> int:
    """End what lets others see who has become a teenager, and give the rest that day as its end; how many ended."""
    by_others = Q(member__user_id__isnull=True) | ~Q(invitation__invited_by_id=F("member__user_id"))
    seeing = Delegate.objects.filter(
        by_others, ended_at__isnull=True, member__birth_date__gt=latest_birth(ADULT_AT, today)
    ).exclude(grant=Delegate.Grant.PAY_ONLY)
    ended = 0
    for delegate in seeing.select_related("member__household").order_by("pk")[:BATCH]:
        last = delegates.last_day_of_sight(delegate.member, today=today)
        if last < today:
            ended += delegates.end(delegate, actor="system", reason=REASON)
        else:
            longer = Q(until__isnull=True) | Q(until__gt=last)
            Delegate.objects.filter(longer, pk=delegate.pk, ended_at__isnull=True).update(until=last)
    return ended
