"""Notices about autopay, as things stand now."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from django.db.models import Q
from django.urls import reverse

from accounts.models import Member
from bills.models import Bill
from notifications.kinds import KINDS
from notifications.models import Notification
from notifications.news.looking import Looked, News, NotToBeSent, name_of, reader
from payments.models import AutopayCharge, AutopayConsent, AutopayEnrollment, Payment

Thing: TypeAlias = tuple[int | None, int | None, int, int]  # bill, instalment, cycle, attempt

TRUE_OF: Mapping[str, frozenset[str]] = {  # in which states of its autopay a notice is still true
    "autopay_stopped": frozenset({"ended"}),
    "autopay_paused": frozenset({"paused"}),
    "autopay_resumed": frozenset({"active"}),
    "autopay_suspended": frozenset({"suspended", "ended"}),
    "autopay_health": frozenset({"active", "paused", "suspended"}),
}


def of_enrollments(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Of the enrolment's member alone."""
    found_by_id = {
        str(each.pk): each for each in AutopayEnrollment.objects.filter(pk__in=[name_of(notice) for notice in notices])
    }
    found: dict[int, Looked] = {}
    for notice in notices:
        enrollment = found_by_id.get(name_of(notice))
        if enrollment is None or enrollment.user_id != notice.user_id:
            found[notice.pk] = NotToBeSent("the autopay is another's")
        elif enrollment.status not in TRUE_OF.get(notice.kind, {enrollment.status}):
            found[notice.pk] = NotToBeSent(f"the autopay is {enrollment.status} by now")
        else:
            path = reverse("autopay_enrollment", args=[enrollment.pk])
            found[notice.pk] = News(path, due_on=enrollment.paused_until)
    return found


def of_consents(notices: Sequence[Notification]) -> dict[int, Looked]:
    """The copy of what was agreed to (Reg E 12 CFR 1005.10(b)): true whatever has become of it since."""
    given = {
        str(consent.pk): consent
        for consent in AutopayConsent.objects.filter(pk__in=[name_of(notice) for notice in notices]).select_related(
            "enrollment"
        )
    }
    found: dict[int, Looked] = {}
    for notice in notices:
        consent = given.get(name_of(notice))
        if consent is None or consent.enrollment.user_id != notice.user_id:
            found[notice.pk] = NotToBeSent("the consent is another's")
        else:
            path = reverse("autopay_enrollment", args=[consent.enrollment_id])
            found[notice.pk] = News(path, text=consent.text)
    return found


def of_charges(notices: Sequence[Notification]) -> dict[int, Looked]:
    """Of a charge whose bill the enrolment's member still sees; with its amount and day, or that of the next try."""
    charges = {
        str(charge.pk): charge
        for charge in AutopayCharge.objects.filter(pk__in={name_of(notice) for notice in notices}).select_related(
            "enrollment", "bill__member"
        )
    }
    day: dt.date | None
    holders = dict(
        Member.objects.filter(
            household_id__in={charge.household_id for charge in charges.values()}, is_primary_holder=True
        ).values_list("household_id", "user_id")
    )
    tries, debits = _next_tries(charges.values()), _next_debits(charges.values())
    found: dict[int, Looked] = {}
    for notice in notices:
        charge, true_in = charges.get(name_of(notice)), KINDS[notice.kind].true_in
        if charge is None or not _sees(notice, charge, holders):
            found[notice.pk] = NotToBeSent("the charge is not the user's to hear of")
        elif true_in is not None and charge.status not in true_in:
            found[notice.pk] = NotToBeSent(f"the charge is {charge.status} by now")
        else:
            path = reverse("autopay_charge", args=[charge.pk])
            day = charge.charge_on
            if notice.kind == "autopay_failed":
                day = tries.get(_thing(charge)) or debits.get(charge.payment_id)
            found[notice.pk] = News(path, due_on=day, amount_cents=charge.amount_cents)
    return found


def _sees(notice: Notification, charge: AutopayCharge, holders: Mapping[int, int | None]) -> bool:
    """Most are the own bills or the holder's; of others the gate is asked."""
    if charge.enrollment.user_id != notice.user_id:
        return False
    bill = charge.bill
    if bill is None or bill.member.user_id == notice.user_id:
        return True
    if holders.get(bill.household_id) == notice.user_id and bill.member.confidential_since is None:
        return True
    return Bill.objects.visible_to(reader(notice)).filter(pk=bill.pk).exists()


def _thing(charge: AutopayCharge) -> Thing:
    return charge.bill_id, charge.installment_id, charge.cycle, charge.attempt


def _next_tries(charges: Collection[AutopayCharge]) -> dict[Thing, dt.date]:
    """The day of the try that follows on each of these charges, where one is planned: one query."""
    things = {_thing(charge) for charge in charges}
    planned = AutopayCharge.objects.filter(
        Q(bill_id__in=[thing[0] for thing in things if thing[0]])
        | Q(installment_id__in=[thing[1] for thing in things if thing[1]]),
        status="announced",
    )
    return {
        (each.bill_id, each.installment_id, each.cycle, each.attempt - 1): each.charge_on
        for each in planned
        if (each.bill_id, each.installment_id, each.cycle, each.attempt - 1) in things
    }


def _next_debits(charges: Collection[AutopayCharge]) -> dict[int | None, dt.date | None]:
    """The day on which the debit of each of these is sent again after it came back, by payment: one query at most."""
    failed = [charge.payment_id for charge in charges if charge.payment_id and charge.status == "failed"]
    if not failed:
        return {}
    drafts = Payment.objects.filter(retry_of__in=failed, status="draft", scheduled_on__isnull=False)
    return dict(drafts.values_list("retry_of_id", "scheduled_on"))
