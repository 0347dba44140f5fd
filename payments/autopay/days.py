"""On which day autopay charges a bill (RULES sections 3 and 11), and until when the member can change it."""

import calendar
import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bills.banking_days import next_banking_day
from payments import scheduling
from payments.models import AutopayCharge, AutopayEnrollment, PaymentMethod

DayRule = AutopayEnrollment.DayRule
LAST_SURE_DAY = 28  # every month has it


def charge_day(
    due_on: dt.date, *, rule: str, days_before: int | None, day_of_month: int | None, is_bank_debit: bool
) -> dt.date:
    """The day on which what is due on a day is charged; of a bank account the next on which the banks are open.

    A day of the month is the last such day not after the due date; 29 to 31 is the last day of a month that lacks it.
    """
    day = due_on
    if rule == DayRule.DAYS_BEFORE and days_before:
        day = due_on - dt.timedelta(days=days_before)
    elif rule == DayRule.DAY_OF_MONTH and day_of_month:
        day = _day_in(due_on.year, due_on.month, day_of_month)
        if day > due_on:
            before = due_on.replace(day=1) - dt.timedelta(days=1)
            day = _day_in(before.year, before.month, day_of_month)
    return next_banking_day(day) if is_bank_debit else day


def of(enrollment: AutopayEnrollment, due_on: dt.date, *, method: PaymentMethod | None = None) -> dt.date:
    """The day on which an enrolment charges what is due on a day."""
    by = method or enrollment.method
    return charge_day(
        due_on, rule=enrollment.day_rule, days_before=enrollment.days_before, day_of_month=enrollment.day_of_month,
        is_bank_debit=by.kind == PaymentMethod.Kind.BANK_ACCOUNT,
    )  # fmt: skip


def planned(charge: AutopayCharge) -> dt.date:
    """The first day on which a charge can be made: while autopay is paused, not before the pause ends."""
    until = charge.enrollment.paused_until
    if charge.enrollment.status != AutopayEnrollment.Status.PAUSED or until is None:
        return charge.charge_on
    return max(charge.charge_on, until)


def words(*, rule: str, days_before: int | None, day_of_month: int | None) -> str:
    """The day in words, as part of a sentence: "on the due date"."""
    if rule == DayRule.DAYS_BEFORE and days_before:
        return ngettext("%(days)d day before the due date", "%(days)d days before the due date", days_before) % {
            "days": days_before
        }
    if rule == DayRule.DAY_OF_MONTH and day_of_month:
        if day_of_month > LAST_SURE_DAY:
            return _("on day %(day)d of the month on or before the due date (the last day of a shorter month)") % {
                "day": day_of_month
            }
        return _("on day %(day)d of the month on or before the due date") % {"day": day_of_month}
    return _("on the due date")


def words_of(enrollment: AutopayEnrollment) -> str:
    """An enrolment's day in words."""
    return words(rule=enrollment.day_rule, days_before=enrollment.days_before, day_of_month=enrollment.day_of_month)


def on_or_after(day: dt.date, method: PaymentMethod | None) -> dt.date:
    """A day, or of a bank account the next on which the banks are open."""
    is_bank = method is not None and method.kind == PaymentMethod.Kind.BANK_ACCOUNT
    return next_banking_day(day) if is_bank else day


cut_off = scheduling.cut_off  # the same as of a payment that was scheduled by hand
first_day = scheduling.first_day


def _day_in(year: int, month: int, day: int) -> dt.date:
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))
