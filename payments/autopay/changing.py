"""Changing autopay and single charges of it, by its member: each until the stated cut-off (FAULTS D27, A06).

What has gone to the bank is not stopped here; every answer says so plainly. Each change locks the charges in the order
of their ids and then the enrolment, as the run does.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Member, User
from accounts.visibility import scope_of
from ledger.transactions import atomic_with_retry
from payments.autopay import consents, days, debiting_again, failing, health, terms
from payments.autopay.enrolling import columns, members_of, note
from payments.autopay.terms import AutopayError, Terms
from payments.mandates import Acceptance
from payments.models import AutopayCharge, AutopayEnrollment
from payments.models.autopay import APPROVED

Status = AutopayEnrollment.Status
Charge = AutopayCharge.Status
MAX_PAUSE_DAYS = 366
OFF = "off"  # the code of charges that were called off: turned on again, autopay announces their bills anew
NOT_CHOSEN = "not_chosen"  # of somebody whom its member left out: chosen again, their bills are announced anew
NOT_YOURS = "not_yours"  # of somebody whom its payer can no longer pay for
STOPPABLE = (Charge.ANNOUNCED, Charge.ASKED, Charge.QUEUED)


class NotOn(AutopayError):
    """Autopay has been turned off, or is not in the state that the change needs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change did: how many charges and debits to be sent again it called off, and US cents on their way."""

    called_off: int = 0
    not_again: int = 0
    on_its_way_cents: int = 0


@atomic_with_retry
def change(enrollment: AutopayEnrollment, user: User, wanted: Terms, acceptance: Acceptance) -> AutopayEnrollment:
    """Change method, second method, day, limit or people, under a consent of its own. Raises AutopayError.

    What is announced follows: its method, and its day where the rule of the day has changed or the day went by.
    What is above the new limit waits for a yes, and bills of those who were left out are called off.
    An autopay that was stopped for want of a method goes on.
    """
    held = _held(enrollment, user)
    terms.check(wanted, scope_of(user))
    is_other_day = _day_of(held) != _day_of(wanted)
    is_other_method = held.method_id != wanted.method.pk
    was_stopped = held.status == Status.SUSPENDED
    AutopayEnrollment.objects.filter(pk=held.pk).update(
        **columns(wanted),
        **({"status": Status.ACTIVE, "suspended_code": ""} if was_stopped else {}),
    )
    for member in held.members.exclude(pk__in=[member.pk for member in wanted.members]):
        _call_off(held, of=member, code=NOT_CHOSEN)
    held.members.set(wanted.members)
    held.refresh_from_db()
    if is_other_day or is_other_method or was_stopped:
        _follow(held, is_other_day=is_other_day, is_other_method=is_other_method)
    _keep_to_limit(held)
    debiting_again.call_off(held, actor=f"user:{user.pk}")
    consent = consents.keep(held, wanted, acceptance)
    health.look_at(held)
    note("autopay.terms_changed", held, actor=f"user:{user.pk}", consent_id=consent.pk, **members_of(wanted))
    return held


@atomic_with_retry
def pause(enrollment: AutopayEnrollment, user: User, *, until: dt.date) -> Outcome:
    """Charge nothing before a day. What falls due meanwhile stays owed; what is unpaid then is charged afterwards.

    Raises AutopayError.
    """
    held = _held(enrollment, user)
    today = timezone.localdate()
    if held.status not in (Status.ACTIVE, Status.PAUSED):
        raise NotOn(_("Autopay is not on, so it cannot be paused."))
    if not today < until <= today + dt.timedelta(days=MAX_PAUSE_DAYS):
        raise AutopayError(_("Choose a day after today, at most a year ahead."))
    AutopayEnrollment.objects.filter(pk=held.pk).update(status=Status.PAUSED, paused_until=until)
    not_again = debiting_again.call_off(held, actor=f"user:{user.pk}")
    # What was queued for today and not taken yet waits again.
    AutopayCharge.objects.filter(enrollment=held, status=Charge.QUEUED).update(status=Charge.ANNOUNCED)
    note("autopay.paused", held, actor=f"user:{user.pk}", until=until.isoformat())
    return Outcome(not_again=not_again, on_its_way_cents=_on_its_way_cents(held))


@atomic_with_retry
def resume(enrollment: AutopayEnrollment, user: User) -> None:
    """End a pause now. A charge whose day has passed meanwhile is made on the next, or announced anew.

    Raises AutopayError.
    """
    held = _held(enrollment, user)
    if held.status != Status.PAUSED:
        raise NotOn(_("Autopay is not paused."))
    AutopayEnrollment.objects.filter(pk=held.pk).update(status=Status.ACTIVE, paused_until=None)
    first = days.first_day()
    for charge in held.charges.filter(status__in=(Charge.ANNOUNCED, Charge.ASKED), charge_on__lt=first):
        AutopayCharge.objects.filter(pk=charge.pk).update(charge_on=days.on_or_after(first, charge.method))
    note("autopay.resumed", held, actor=f"user:{user.pk}")


@atomic_with_retry
def stop(enrollment: AutopayEnrollment, *, actor: str, code: str = "stopped") -> Outcome:
    """End it for good; what has not gone to the bank is called off, what is queued or debited again included.

    Raises AutopayError.
    """
    _lock_charges(enrollment)
    held = AutopayEnrollment.objects.select_for_update().get(pk=enrollment.pk)
    if held.status == Status.ENDED:
        raise NotOn(_("Autopay was turned off already."))
    AutopayEnrollment.objects.filter(pk=held.pk).update(
        status=Status.ENDED, ended_at=timezone.now(), ended_code=code, paused_until=None
    )
    not_again = debiting_again.call_off(held, actor=actor)
    outcome = Outcome(_call_off(held), not_again, _on_its_way_cents(held))
    note("autopay.stopped", held, actor=actor, code=code)
    return outcome


@atomic_with_retry
def leave_out(enrollment: AutopayEnrollment, member: Member, *, actor: str, code: str) -> None:
    """Pay nothing any more for one of the people whose bills it pays; with nobody left, it ends. A repeat does nothing.

    Of a bill that its member still lets the payer pay, what is announced is called off too: it is paid by hand.
    """
    _lock_charges(enrollment)
    held = AutopayEnrollment.objects.select_for_update().get(pk=enrollment.pk)
    if held.status == Status.ENDED or not held.members.filter(pk=member.pk).exists():
        return
    held.members.remove(member)
    _call_off(held, of=member, code=NOT_YOURS)
    debiting_again.call_off(held, actor=actor)
    if not held.members.exists():
        stop(held, actor=actor, code=code)
        return
    note("autopay.person_left", held, actor=actor, member_id=member.pk, code=code)


def _held(enrollment: AutopayEnrollment, user: User) -> AutopayEnrollment:
    """The enrolment, locked, in force and the user's own."""
    _lock_charges(enrollment)
    held = AutopayEnrollment.objects.select_for_update().get(pk=enrollment.pk)
    if held.user_id != user.pk or held.status == Status.ENDED:
        raise NotOn(_("Autopay was turned off already."))
    return held


def _lock_charges(enrollment: AutopayEnrollment) -> None:
    """Lock the charges that are to come before their enrolment, as the run does: neither waits for the other."""
    list(enrollment.charges.select_for_update().filter(status__in=STOPPABLE).order_by("pk").values_list("pk"))


def _day_of(standing: AutopayEnrollment | Terms) -> tuple[str, int | None, int | None]:
    before = standing.days_before if standing.day_rule == terms.DayRule.DAYS_BEFORE else None
    of_month = standing.day_of_month if standing.day_rule == terms.DayRule.DAY_OF_MONTH else None
    return standing.day_rule, before, of_month


def _follow(held: AutopayEnrollment, *, is_other_day: bool, is_other_method: bool) -> None:
    """Let charges that are announced follow the new terms. A retry keeps its day: it is set by the rules of retries.

    A day that went by is made up for on the next that its member can still change, and is told, as is a day that moves
    because banks are closed: neither was asked for.
    """
    first = days.first_day()
    waiting = held.charges.filter(status__in=(Charge.ANNOUNCED, Charge.ASKED)).select_related("method")
    for charge in waiting.order_by("pk"):
        method = held.method if is_other_method else charge.method or held.method
        by_rule = is_other_day and charge.attempt == 1
        day = days.on_or_after(max(first, days.of(held, charge.due_on) if by_rule else charge.charge_on), method)
        AutopayCharge.objects.filter(pk=charge.pk).update(method=method, charge_on=day)
        if day != charge.charge_on and (charge.charge_on < first or not by_rule):
            note("autopay.changed", held, actor="system", charge_id=charge.pk)


def _keep_to_limit(held: AutopayEnrollment) -> None:
    """Ask about what is above the limit and was not said yes to; announce what it lets pass by now."""
    limit, first = held.limit_cents, days.first_day()
    for charge in held.charges.filter(status__in=(Charge.ANNOUNCED, Charge.ASKED)).order_by("pk"):
        is_above = limit is not None and limit < charge.amount_cents
        if is_above and charge.status == Charge.ANNOUNCED and charge.code != APPROVED:
            failing.ask(charge)
        elif not is_above and charge.status == Charge.ASKED:
            day = days.on_or_after(max(charge.charge_on, first), charge.method)
            AutopayCharge.objects.filter(pk=charge.pk).update(status=Charge.ANNOUNCED, charge_on=day)
            note("autopay.changed", held, actor="system", charge_id=charge.pk)


def _call_off(held: AutopayEnrollment, *, of: Member | None = None, code: str = OFF) -> int:
    """Take its charges out of the way of the run, or those of one person's bills; how many."""
    charges = AutopayCharge.objects.filter(enrollment=held, status__in=STOPPABLE)
    charges = charges.filter(bill__member=of) if of is not None else charges
    locked = charges.select_for_update(of=("self",)).order_by("pk")
    # Compare and set, state by state: the table of moves has no other way.
    return sum(
        AutopayCharge.objects.filter(pk=pk, status=status).update(status=Charge.NOT_NEEDED, code=code)
        for pk, status in list(locked.values_list("pk", "status"))
    )


def _on_its_way_cents(held: AutopayEnrollment) -> int:
    sent = held.charges.filter(status=Charge.SENT).values_list("amount_cents", flat=True)
    return sum(sent) + debiting_again.on_its_way_cents(held)
