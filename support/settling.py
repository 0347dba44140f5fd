"""Disputed bills that were corrected meanwhile: the question is answered by what happened, and the bill goes on."""

import logging

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from bills import check_facts, checking, issuing
from ledger.money import format_usd
from support import threads
from support.models import Inquiry

log = logging.getLogger(__name__)

MAX_AT_ONCE = 1_000
REASON = "The bill was corrected: nothing is wrong with it any more."


def settle_corrected() -> int:
    """Close every question about a bill that asks for less than when it was asked and is in order now; how many.

    What was paid beyond the new amount became household credit with the correction itself.
    """
    waiting = Inquiry.objects.unsettled().filter(bill__isnull=False, topic=Inquiry.Topic.WRONG)
    inquiries = waiting.select_related("bill__receivable", "bill__household", "asked_by").order_by("pk")
    return sum(_settle(inquiry) for inquiry in inquiries[:MAX_AT_ONCE])


def _settle(inquiry: Inquiry) -> bool:
    bill, before = inquiry.bill, inquiry.charged_cents
    assert bill is not None
    now = issuing.asked_cents(bill)
    if before is None or now >= before:
        return False
    if bill.voided_at is None and checking.check(check_facts.gather(bill)).findings:
        return False
    with translation.override(inquiry.asked_by.language):
        text = _told(bill_number=bill.number, before=before, now=now)
    try:
        threads.close(inquiry, by=None, reason=REASON, text=text)
    except threads.StateChanged:  # somebody of staff was quicker
        return False
    log.info("inquiry %s is settled by a correction on %s", inquiry.pk, timezone.localdate())
    return True


def _told(*, bill_number: str, before: int, now: int) -> str:
    values = {"number": bill_number, "before": format_usd(before), "now": format_usd(now)}
    return _(
        "Bill %(number)s was corrected: it asked for %(before)s and asks for %(now)s now. It is not on hold any more. "
        "If you had paid more than that, the rest is yours: you find it under Payments, Overpaid money."
    ) % values  # fmt: skip
