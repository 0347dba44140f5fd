"""One charge of autopay in its member's hands: skipped, taken back in, moved, paid otherwise, said yes or no to.

Each until the cut-off of its day. The charge is locked and its state compared and set, so that the run and the member
never both decide (FAULTS A06).
"""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.visibility import scope_of
from ledger.templatetags.portal import day_long
from ledger.transactions import atomic_with_retry
from payments.autopay import days, terms
from payments.autopay.enrolling import note
from payments.autopay.terms import AutopayError
from payments.models import AutopayCharge, AutopayEnrollment, PaymentMethod
from payments.models.autopay import APPROVED

Status = AutopayCharge.Status
BY_MEMBER = "member"  # the code of what the member skipped
DECLINED = "declined_by_member"  # and of what the member answered no to
MAX_DAYS_AHEAD = 60


class PastCutOff(AutopayError):
    """Too late: the charge is about to be sent, or was."""


class NotWaiting(AutopayError):
    """The charge is not in the state that this needs."""


def is_open(charge: AutopayCharge) -> bool:
    """Whether its member can still change it."""
    return charge.status in (Status.ANNOUNCED, Status.ASKED) and timezone.now() < days.cut_off(days.planned(charge))


def can_return(charge: AutopayCharge) -> bool:
    """Whether a skipped charge can be taken back in."""
    return charge.status == Status.SKIPPED and timezone.now() < days.cut_off(charge.charge_on)


@atomic_with_retry
def skip(charge: AutopayCharge, user: User) -> AutopayCharge:
    """Do not make this charge. What it was for stays owed. Raises AutopayError."""
    held = _held(charge, user, Status.ANNOUNCED, Status.ASKED)
    return _moved(held, Status.SKIPPED, "autopay.skipped", user, code=BY_MEMBER)


@atomic_with_retry
def take_back_in(charge: AutopayCharge, user: User) -> AutopayCharge:
    """Make a skipped charge after all: above the limit, that is a yes to it. Raises AutopayError."""
    held = _held(charge, user, Status.SKIPPED)
    limit = held.enrollment.limit_cents
    is_above = limit is not None and limit < held.amount_cents
    return _moved(held, Status.ANNOUNCED, "autopay.unskipped", user, code=APPROVED if is_above else "")


@atomic_with_retry
def move(charge: AutopayCharge, user: User, *, on: dt.date) -> AutopayCharge:
    """Make this charge on another day; a bank account is debited on the next banking day. Raises AutopayError."""
    held = _held(charge, user, Status.ANNOUNCED, Status.ASKED)
    last = last_day(held)
    if not days.first_day() <= on <= last:
        raise AutopayError(
            _("Choose a day from %(first)s to %(last)s.")
            % {"first": day_long(days.first_day()), "last": day_long(last)}
        )
    return _changed(held, user, charge_on=days.on_or_after(on, held.method or held.enrollment.method))


@atomic_with_retry
def pay_with(charge: AutopayCharge, user: User, *, method: PaymentMethod, attestation: str = "") -> AutopayCharge:
    """Make this charge with another method of the member's. Raises AutopayError."""
    held = _held(charge, user, Status.ANNOUNCED, Status.ASKED)
    subject = terms.of(held.enrollment).subject
    agreed = attestation or held.enrollment.attestation
    if reason := terms.why_not(method, subject, scope_of(user), attestation=agreed, on=held.charge_on):
        raise terms.MethodUnfit(reason)
    return _changed(held, user, method=method, charge_on=days.on_or_after(held.charge_on, method))


@atomic_with_retry
def answer(charge: AutopayCharge, user: User, *, is_yes: bool) -> AutopayCharge:
    """Say yes or no to a charge above the limit; a yes after its day makes it on the next. Raises AutopayError."""
    held = _held(charge, user, Status.ASKED, is_until_cut_off=False)
    if is_yes:
        day = days.on_or_after(max(held.charge_on, days.first_day()), held.method or held.enrollment.method)
        AutopayCharge.objects.filter(pk=held.pk, status=Status.ASKED).update(charge_on=day)
        return _moved(held, Status.ANNOUNCED, "autopay.answered", user, code=APPROVED)
    return _moved(held, Status.SKIPPED, "autopay.answered", user, code=DECLINED)


def last_day(charge: AutopayCharge) -> dt.date:
    """The latest day to which a charge can be moved."""
    return max(charge.due_on, timezone.localdate()) + dt.timedelta(days=MAX_DAYS_AHEAD)


def _held(charge: AutopayCharge, user: User, *states: str, is_until_cut_off: bool = True) -> AutopayCharge:
    """The charge, locked before its enrolment as the run does, before its cut-off and in one of these states."""
    held = AutopayCharge.objects.select_for_update().get(pk=charge.pk)
    enrollment = AutopayEnrollment.objects.select_for_update().get(pk=charge.enrollment_id)
    held.enrollment = enrollment
    if enrollment.user_id != user.pk or enrollment.status == AutopayEnrollment.Status.ENDED:
        raise NotWaiting(_("Autopay was turned off, so this payment is not made."))
    if held.status not in states:
        raise NotWaiting(_("This payment has moved on in the meantime. Look at it again."))
    if is_until_cut_off and timezone.now() >= days.cut_off(days.planned(held)):
        raise PastCutOff(
            _(
                "It is too late to change this payment here: it is about to be sent. Call us now if it must not be. "
                "If it comes from a bank account you can also tell your bank."
            )
        )
    return held


def _moved(held: AutopayCharge, to: str, event: str, user: User, *, code: str) -> AutopayCharge:
    if not AutopayCharge.objects.filter(pk=held.pk, status=held.status).update(status=to, code=code):
        raise NotWaiting(_("This payment has moved on in the meantime. Look at it again."))
    note(event, held.enrollment, actor=f"user:{user.pk}", charge_id=held.pk, code=code)
    held.refresh_from_db()
    return held


def _changed(held: AutopayCharge, user: User, **fields: object) -> AutopayCharge:
    AutopayCharge.objects.filter(pk=held.pk, status=held.status).update(**fields)
    held.refresh_from_db()
    note("autopay.charge_changed", held.enrollment, actor=f"user:{user.pk}", charge_id=held.pk,
         on=held.charge_on.isoformat(), method_id=held.method_id)  # fmt: skip
    return held
