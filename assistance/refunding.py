"""What an award makes overpaid goes back by itself to who paid it: to the card or bank account that it came from.

A payment that was on its way when the award lowered the bill is waited for; its excess goes back too. Above the limit
for one person of staff the refunds of an award wait for a second one. What cannot go back stays household credit, and
the applicant is told of it (payments.overpaid, decision 2022).
"""

import logging

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from activity.recording import record
from assistance.models import Award, AwardedBill
from ledger.chart import Code
from ledger.models import Transfer
from payments import allocating, overpaid, overpaid_sources
from payments.models import CreditMove
from payments.overpaid_sources import Source

logger = logging.getLogger(__name__)

MAX_AT_ONCE = 200


def run() -> int:
    """See to every bill of an award whose overpaid money is still to go back; how many are done. Harmless to repeat."""
    waiting = AwardedBill.objects.filter(refunded_cents__isnull=True).order_by("pk")
    rows = waiting.select_related("award__application", "award__made_by", "bill__household")
    return sum(_settled(row) for row in rows[:MAX_AT_ONCE])


def _settled(row: AwardedBill) -> bool:
    try:
        return settle(row)
    except Exception:  # whatever is wrong with one must not keep the others: it is tried again with the next run
        logger.exception("what award %s made overpaid could not be sent back", row.award_id)
        return False


def settle(row: AwardedBill) -> bool:
    """Send back what the award made overpaid on one bill; whether that is all that will come."""
    is_awaited = bool(allocating.in_flight_cents([row.bill]))  # asked first: what arrives meanwhile is seen below
    for source in _sources(row):
        overpaid.send_back(source, by=row.award.made_by, key=f"award:{row.pk}:{source.transfer_id}", waits=_waits(row))
    return not is_awaited and _done(row)


def _sources(row: AwardedBill) -> list[Source]:
    """The household's credit that came of this bill since the award lowered it."""
    bill = row.bill
    is_premium = row.award.kind == Award.Kind.CHARITABLE
    given = Transfer.objects.filter(
        credit_id=bill.receivable_id, code=Code.CHARITABLE_SUBSIDY if is_premium else Code.ASSISTANCE,
        key__startswith="" if is_premium else row.key,
    )  # fmt: skip
    lowered = given.order_by("pk").values_list("pk", flat=True).first()
    if lowered is None:
        return []
    sources = overpaid_sources.of(bill.household)
    return [one for one in sources if one.bill is not None and one.bill.pk == bill.pk and one.transfer_id > lowered]


def _waits(row: AwardedBill) -> bool:
    """Whether the award gives back more than one person of staff may send, all its bills together."""
    given = AwardedBill.objects.filter(award=row.award_id).aggregate(cents=Sum("returned_cents"))
    return (given["cents"] or 0) > settings.REFUND_SECOND_PERSON_CENTS


@transaction.atomic
def _done(row: AwardedBill) -> bool:
    household = row.bill.household
    moves = CreditMove.objects.filter(household=household, form_key__startswith=f"award:{row.pk}:")
    sent_cents = moves.aggregate(cents=Sum("amount_cents"))["cents"] or 0
    if not AwardedBill.objects.filter(pk=row.pk, refunded_cents__isnull=True).update(refunded_cents=sent_cents):
        return False
    if left := sum(source.left_cents for source in _sources(row)):
        award = row.award
        record(
            "award.credit_left", subject=f"award:{award.pk}", owner_id=household.pk, actor=f"award:{award.pk}",
            award_id=award.pk, user_id=award.application.applicant_id, bill_id=row.bill_id, amount_cents=left,
        )  # fmt: skip
    return True
