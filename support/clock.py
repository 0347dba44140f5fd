"""By when a question is answered: so many business days after it was asked, at the end of the day."""

import datetime as dt

from django.conf import settings
from django.utils import timezone

from bills.banking_days import add_banking_days

END_OF_DAY = dt.time(18)  # by the portal's clock


def due_at(asked_at: dt.datetime) -> dt.datetime:
    """The moment by which what was asked then is to be answered (SUPPORT_ANSWER_DAYS, Federal Reserve calendar)."""
    day = add_banking_days(timezone.localdate(asked_at), settings.SUPPORT_ANSWER_DAYS)
    return timezone.make_aware(dt.datetime.combine(day, END_OF_DAY))
