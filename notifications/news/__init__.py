"""What a notice is about as things stand now: where it is read, and whether it is still true (FAULTS F09, L03, L15).

Looked up for many notices at once, by the first word of their subject (`bill:7F3K-2201`): one function a family in
FAMILIES, each a few queries whatever the number of notices. To add a family: a function here, in a module of its topic.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from notifications.models import Notification
from notifications.news import (
    assistance,
    autopay,
    bills,
    coverage,
    digests,
    family,
    household,
    methods,
    payments,
    people,
    plans,
    statements,
    support,
)
from notifications.news.looking import Family, Looked, News, NotToBeSent

__all__ = ["FAMILIES", "Looked", "News", "NotToBeSent", "look"]


def look(notices: Iterable[Notification]) -> dict[int, Looked]:
    """What each notice is about, or why it is not to be told any more, by its id. `notice.user` is at hand."""
    by_family: dict[str, list[Notification]] = defaultdict(list)
    for notice in notices:
        by_family[notice.subject.partition(":")[0]].append(notice)
    found: dict[int, Looked] = {}
    for name, about in by_family.items():
        found |= FAMILIES.get(name, _unknown)(about)
    return found


def _unknown(notices: Sequence[Notification]) -> dict[int, Looked]:
    return {notice.pk: NotToBeSent("nobody knows what it is about") for notice in notices}


FAMILIES: dict[str, Family] = {
    "digest": digests.of_digests,
    "bill": bills.of_bills,
    "grace": coverage.of_grace,
    "statement": statements.of_statements,
    "payment": payments.of_payments,
    "plan": plans.of_plans,
    "autopay": autopay.of_enrollments,
    "consent": autopay.of_consents,
    "charge": autopay.of_charges,
    "method": methods.of_methods,
    "mandate": methods.of_mandates,
    "share": methods.of_shares,
    "member": people.of_members,
    "household": people.of_households,
    "delegate": family.of_delegates,
    "invitation": family.of_invitations,
    "departure": household.of_departures,
    "sight": household.of_sight,
    "user": people.of_users,
    "application": assistance.of_applications,
    "award": assistance.of_awards,
    "inquiry": support.of_inquiries,
}
