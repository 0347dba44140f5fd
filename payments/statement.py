"""The provider's own book, asked of the gateway: charges, disputes and payouts by their ids (DESIGN section 9).

It is what reconciliation goes by: objects as they stand, and never the events that told of them.
"""

import datetime as dt
from collections.abc import Iterator

from payments import answers
from payments.gateway import PAGE_SIZE, called, client
from payments.provider import ChargeState, DisputeState, PayoutState, RefundState


@called
def charge(charge_id: str) -> ChargeState:
    """A charge as it stands now. Raises provider.Refused where there is none."""
    found = client().v1.charges.retrieve(charge_id)
    return ChargeState(
        id=found.id,
        status=found.status,
        amount_cents=found.amount,
        intent_id=answers.id_of(found.payment_intent),
        payment_number=(found.metadata.to_dict() if found.metadata else {}).get("payment", ""),
    )


@called
def dispute(dispute_id: str) -> DisputeState:
    """A dispute as it stands now. Raises provider.Refused where there is none."""
    return answers.dispute(client().v1.disputes.retrieve(dispute_id))


def disputes_since(moment: dt.datetime) -> Iterator[DisputeState]:
    """Every dispute opened since a moment, inquiries too, the newest first; a page is fetched as it is needed."""
    after = ""
    while True:
        page = _disputes(int(moment.timestamp()), after)
        yield from page
        if len(page) < PAGE_SIZE:
            return
        after = page[-1].id


@called
def _disputes(since: int, after: str) -> list[DisputeState]:
    more = {"starting_after": after} if after else {}
    listed = client().v1.disputes.list({"created": {"gte": since}, "limit": PAGE_SIZE, **more})  # type: ignore[arg-type]
    return [answers.dispute(found) for found in listed.data]


@called
def payout(payout_id: str) -> PayoutState:
    """A payout as it stands now."""
    found = client().v1.payouts.retrieve(payout_id)
    return PayoutState(found.id, found.status, found.amount, is_automatic=found.automatic)


@called
def refund_charge(charge_id: str, *, key: str, amount_cents: int) -> RefundState:
    """Send money of a charge back that no payment here explains. `key` is committed before."""
    made = client().v1.refunds.create({"charge": charge_id, "amount": amount_cents}, {"idempotency_key": key})
    return answers.refund(made)
