"""While an application is pending, its bills wait: those that are open, and those that come in meanwhile."""

from assistance import eligible
from assistance.models import Application
from assistance.states import ApplicationStatus
from bills import holds
from bills.models import Hold


def hold(application: Application) -> int:
    """Hold every open eligible bill of a pending application; how many were not held for it yet.

    A bill on which nothing is owed any more, or of a member that is not asked for, is not held. The caller runs it in
    the transaction that moves the application; the tasks run it again for bills that came in.
    """
    is_appeal = application.status == ApplicationStatus.APPEALED
    cause = Hold.Cause.APPEAL if is_appeal else Hold.Cause.ASSISTANCE
    held = Hold.objects.standing().filter(reference=application.reference, cause=cause).values("bill_id")
    waiting = list(eligible.open_bills(application).exclude(pk__in=held))
    for bill in waiting:
        holds.begin(bill, cause=cause, reference=application.reference)
    return len(waiting)


def hold_new() -> int:
    """Hold bills that came in since, of every pending application; how many."""
    return sum(hold(application) for application in Application.objects.pending().order_by("pk"))


def let_go(application: Application) -> int:
    """End every hold of an application that is decided or withdrawn; how many."""
    return holds.end_all_of(application.reference)
