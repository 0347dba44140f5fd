"""Who looked at a member's record: the report that a member may ask for (FAULTS N13; kept 6 years, 45 CFR 164.316).

Of the member's own record alone: what was opened of another in the household stands in that member's report.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Prefetch

from accounts.models import Member, User
from activity.models import Access

# What a report cannot say, since it is not written down for a member: it states so itself.
LEFT_OUT = (
    "Lists that were opened without asking for this member, their household or one of their records, in which a row of "
    "theirs may have stood: all bills that are past due, for example.",
    "What others of the household see on their own pages, as the account's holder does.",
    "Work on the plan's computers that does not go through these pages: backups, nightly runs, files sent to the plan.",
)
MOST = 5_000  # rows of one report; it says where there are more

# In words that a member understands; what is not named here is an action of staff, called as on their pages.
WORDS = {
    "view": "Opened", "confidential": "Opened after giving a reason", "list": "Listed", "search": "Searched for",
    "access-report": "Opened this report",
    "viewed": "Opened, acting for the member", "view as member": "Saw as the member sees it",
    "adjust": "Lowered the bill", "write-off": "Gave up the bill's rest", "void": "Took the bill back",
    "hold": "Put the bill on hold", "end": "Let the bill go on", "refund": "Refunded",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """One look: when, by whom, at what, and why where a reason was given."""

    at: dt.datetime
    who: str
    did: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The latest looks first; `is_cut` where there are more than MOST."""

    looks: list[Look]
    is_cut: bool


def of(member: Member) -> Report:
    """Every look at a member's record that was written down: three queries."""
    rows = (
        Access.objects.filter(member_id=member.pk)
        .select_related("user")
        .prefetch_related(Prefetch("user__groups"))
        .order_by("-at", "-pk")[: MOST + 1]
    )
    found = [Look(row.at, _who(row.user), _did(row.action), _what(row.subject), _reason(row)) for row in rows]
    return Report(found[:MOST], is_cut=len(found) > MOST)


def _who(user: User) -> str:
    """Somebody of staff by role, never by name; anybody else by address: whom the member let act knows that."""
    if not user.is_staff:
        return user.email
    roles = ", ".join(sorted(group.name for group in user.groups.all()))
    return f"Staff: {roles or 'no role any more'}"


def _did(action: str) -> str:
    return WORDS.get(action, f"Did: {action.replace('-', ' ')}")


def _what(subject: str) -> str:
    family, _, name = subject.partition(":")
    if family == "list":
        return f"A list of {name} records"
    return f"{family.capitalize()} {name}".strip()


def _reason(row: Access) -> str:
    """Why. What was searched for is a list's address and no reason."""
    return "" if row.action in ("list", "search") else row.reason
