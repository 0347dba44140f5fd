"""The application period: until so many days after the first statement with a bill (26 CFR 1.501(r)-1, RULES 1.3).

A policy may take open bills at any time (California, AB 2297). Where the rule is silent the member is favoured: a bill
that is on no statement yet is in time while it is open, and counts from its issue once it is paid.
"""

import datetime as dt
from collections.abc import Collection, Iterable

from django.db import connection

from assistance.models import AssistancePolicy
from bills.models import Bill

STATED_WITHIN_DAYS = 62  # of its issue a bill is on its first statement: so much older a paid one need not be looked at
FIRST_STATED = """
    SELECT (listed ->> 'bill')::bigint, min(s.issued_on)
    FROM bills_statement s CROSS JOIN LATERAL jsonb_array_elements(s.content -> 'bills') listed
    WHERE s.household_id = ANY(%s) AND (listed ->> 'bill')::bigint = ANY(%s)
    GROUP BY 1
"""


def in_time(bills: Iterable[Bill], *, policy: AssistancePolicy, applied_on: dt.date) -> list[Bill]:
    """Those of the bills that an application of a day is in time for. `receivable` is at hand."""
    found = list(bills)
    stated = first_stated(found)
    since = applied_on - dt.timedelta(days=policy.application_days)

    def is_in_time(bill: Bill) -> bool:
        first_on = stated.get(bill.pk)
        if bill.balance_cents > 0 and (policy.takes_any_time or first_on is None):
            return True
        return (first_on or bill.issued_on) >= since

    return [bill for bill in found if is_in_time(bill)]


def first_stated(bills: Collection[Bill]) -> dict[int, dt.date]:
    """When each bill was first on a statement, by its id; those that never were are left out."""
    if not bills:
        return {}
    household_ids = sorted({bill.household_id for bill in bills})
    with connection.cursor() as cursor:
        cursor.execute(FIRST_STATED, [household_ids, [bill.pk for bill in bills]])
        return dict(cursor.fetchall())
