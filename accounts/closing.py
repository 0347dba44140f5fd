"""Opening a closed account again, and closing one: staff do it on the household's page, with a reason (FAULTS F17).

An account closes by itself when its last person leaves (accounts.successions). Closed, its bills are still seen and
paid, its holder plans nothing any more, and its post goes where the holder went.
"""

from django.utils import timezone

from accounts import departures, successions
from accounts.departures import Refused
from accounts.models import Departure, Household, Member, User
from activity.models import Event, WorkItem
from activity.recording import close_work, open_work, record
from ledger.transactions import atomic_with_retry


@atomic_with_retry
def reopen(household: Household, *, by: User, reason: str) -> None:
    """Open a closed account again. What staff ended with it stays ended. Raises Refused."""
    locked = Household.objects.select_for_update().get(pk=household.pk)
    if locked.closed_on is None:
        raise Refused("The account is open.")
    holder = _holder(locked)
    Household.objects.filter(pk=locked.pk).update(closed_on=None)
    of_closing = WorkItem.objects.filter(
        kind=WorkItem.Kind.DEPARTURE, subject__in=[f"household:{locked.number}", f"member:{holder.number}"],
        done_at__isnull=True,
    )  # fmt: skip
    for item in of_closing.order_by("pk"):
        close_work(item.dedupe_key, reason="the account was opened again")
    _record("household.reopened", locked, by, reason, closed_on=str(locked.closed_on))
    closed_by = Departure.objects.filter(member=holder, successor__isnull=True, done_at__isnull=False)
    if (departure := closed_by.filter(on=locked.closed_on, cause__in=departures.BY_MEMBERS).first()) is not None:
        departures.note("departure.account_reopened", departure, actor=f"user:{by.pk}", reason=reason)


@atomic_with_retry
def close(household: Household, *, by: User, reason: str) -> None:
    """Close an account of which nobody is left but its holder, as of today. Raises Refused."""
    locked = Household.objects.select_for_update().get(pk=household.pk)
    if locked.closed_on is not None:
        raise Refused("The account is closed.")
    if successions.others(_holder(locked)).exists():
        raise Refused("Others are on the account: record that they leave, or who holds it next.")
    Household.objects.filter(pk=locked.pk).update(closed_on=timezone.localdate())
    times = Event.objects.filter(subject=f"household:{locked.number}", kind="household.closed").count()
    open_work(
        WorkItem.Kind.DEPARTURE, subject=f"household:{locked.number}", dedupe_key=f"closed:{locked.pk}:{times + 1}",
        detail="The account is closed by staff. See to the coverage, and send the credit back.",
    )  # fmt: skip
    _record("household.closed", locked, by, reason)


def _holder(household: Household) -> Member:
    """Who holds it; who has died opens nothing again. Raises Refused."""
    holder = Member.objects.filter(household=household, is_primary_holder=True, died_on__isnull=True).first()
    if holder is None:
        raise Refused("Nobody holds this account: its holder has died.")
    return holder


def _record(kind: str, household: Household, by: User, reason: str, **data: str) -> None:
    record(
        kind, subject=f"household:{household.number}", actor=f"user:{by.pk}", owner_id=household.pk, reason=reason,
        **data,
    )  # fmt: skip
