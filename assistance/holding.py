"""While an application is pending, its bills wait: those that are open, and those that come in meanwhile."""

from assistance import charity, eligible
from assistance.models import Application
from assistance.states import ApplicationStatus
from bills import holds
from bills.models import Hold
from ledger.transactions import atomic_with_retry

CAUSES = (Hold.Cause.ASSISTANCE, Hold.Cause.APPEAL)
REFERENCE = "application:"  # what its holds are known by, before its id


def hold(application: Application) -> int:
    """Hold every open bill that a pending application asks help for; how many were not held for it yet.

    Medical bills where it asks for assistance, premiums where it asks for charitable coverage. A bill on which nothing
    is owed any more, or of a member that is not asked for, is not held; of one who is apart from the applicant since,
    it waits for it no longer. The caller runs it in the transaction that moves the application; the tasks run it again
    for bills that came in.
    """
    is_appeal = application.status == ApplicationStatus.APPEALED
    cause = Hold.Cause.APPEAL if is_appeal else Hold.Cause.ASSISTANCE
    of_it = Hold.objects.standing().filter(reference=application.reference)
    holds.end(of_it.exclude(bill__member__in=eligible.members(application)))
    held = Hold.objects.standing().filter(reference=application.reference, cause=cause).values("bill_id")
    medical = list(eligible.open_bills(application).exclude(pk__in=held)) if application.wants_assistance else []
    waiting = medical + list(charity.open_premiums(application).exclude(pk__in=held))
    for bill in waiting:
        holds.begin(bill, cause=cause, reference=application.reference)
    return len(waiting)


def hold_new() -> int:
    """Hold bills that came in since, of every pending application; how many."""
    pending = Application.objects.pending().order_by("pk").values_list("pk", flat=True)
    return sum(_hold_again(pk) for pk in list(pending))


@atomic_with_retry
def _hold_again(application_id: int) -> int:
    """Hold what came in for one application, under its lock: one decided meanwhile has let its bills go for good."""
    application = Application.objects.pending().select_for_update().filter(pk=application_id).first()
    return hold(application) if application is not None else 0


def let_go_left_over() -> int:
    """End holds whose application waits no longer, which nobody else can end; how many. None if all goes well."""
    ours = Hold.objects.standing().filter(cause__in=CAUSES, reference__startswith=REFERENCE)
    ids = {int(name.removeprefix(REFERENCE)) for name in ours.values_list("reference", flat=True).distinct()}
    pending = Application.objects.pending().filter(pk__in=ids).values_list("pk", flat=True)
    return sum(_let_go_again(pk) for pk in sorted(ids - set(pending)))


@atomic_with_retry
def _let_go_again(application_id: int) -> int:
    application = Application.objects.select_for_update().get(pk=application_id)
    return 0 if application.is_pending else let_go(application)


def let_go(application: Application) -> int:
    """End every hold of an application that is decided or withdrawn; how many."""
    return holds.end_all_of(application.reference)
