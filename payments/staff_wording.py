"""What staff are told to do about money that goes back: why a refund failed, what a dispute asks for and by when.

In English, as all of the staff's side. Nothing about a service is sent to a bank: dates, amounts and consent alone.
"""

import datetime as dt

from django.utils import timezone

from payments import return_codes
from payments.models import Dispute
from payments.return_codes import Account, Autopay, ReturnCode

BY_CHECK = "The money is still with the plan and owed to the payer: send a check, and write it down here."

# Stripe's failure reasons of a refund (docs.stripe.com/refunds#failed-refunds), and R23, a bank that does not take it.
REFUND_FAILURES = {
    "lost_or_stolen_card": "the card was reported lost or stolen.",
    "expired_or_canceled_card": "the card is closed.",
    "declined": "the bank declined it.",
    "unknown": "the bank gave no reason.",
    "R23": "the bank account does not take it (R23).",
    "insufficient_funds": "the plan's balance at the provider did not cover it. Ask Finance, then refund again.",
    "charge_for_pending_refund_disputed": "the payment was disputed meanwhile: the bank decides who has the money.",
    "charge_disputed": "the payment is disputed: the bank decides who has the money.",
    "charge_already_refunded": "it was refunded at the provider already. Compare the payment with the provider's.",
    "never_sent": "it never reached the provider. Refund again.",
    "merchant_request": "somebody of the plan stopped it at the provider.",
    "canceled": "it was canceled at the provider.",
}
NO_CHECK = ("charge_for_pending_refund_disputed", "charge_disputed", "charge_already_refunded", "never_sent",
            "insufficient_funds")  # fmt: skip

# What answers a dispute of which reason (docs.stripe.com/disputes/reason-codes-defense-requirements).
EVIDENCE = {
    "fraudulent": (
        "that the payer made it: the sign-in's time and address, the bank's 3-D Secure result, earlier payments with"
        " the same card that stand"
    ),
    "duplicate": "both receipts, with the bill that each has paid",
    "credit_not_processed": "the refund with its date, or why none is due",
    "product_not_received": "the bill with its dates, and the receipt; never what the service was",
    "product_unacceptable": "the bill with its dates, and the receipt; never what the service was",
    "subscription_canceled": "the consent to autopay, and that it was not ended before the charge",
    "unrecognized": "the receipt, and how the plan is named on statements",
    "noncompliant": "the consent as it was shown, with its version and time",
}
ANY_EVIDENCE = "the receipt, the bill with its dates and amounts, and the consent with its time and address"


def refund_failure(code: str) -> str:
    """Why a refund failed, and what is to be done now."""
    why = REFUND_FAILURES.get(code, f"the provider says {code}.")
    return why if code in NO_CHECK else f"{why} {BY_CHECK}"


def due(moment: dt.datetime | None) -> str:
    """The provider's last moment for an answer, in the portal's time."""
    return "" if moment is None else timezone.localtime(moment).strftime("%B %-d, %Y, %-I:%M %p")


def next_step(dispute: Dispute) -> str:
    """What is to be done about a dispute or a return now."""
    if dispute.kind == Dispute.Kind.RETURN:
        return returned(return_codes.of(dispute.return_code, reason=dispute.reason))
    if dispute.closed_at is not None:
        return CLOSED.get(dispute.status, "Closed. Nothing is to be done.")
    if dispute.status in ("under_review", "appeal_under_review", "warning_under_review"):
        return "Answered. Wait: banks take 60 to 75 days."
    until = f" Until {due(dispute.due_by)}." if dispute.due_by else ""
    send = EVIDENCE.get(dispute.reason, ANY_EVIDENCE)
    if dispute.status.startswith("warning"):
        return f"A question, no money has moved. Answer at the provider, or refund it now. Send {send}.{until}"
    return f"Answer at the provider, or accept it there. Send {send}.{until}"


CLOSED = {
    "won": "Won: the money is back, and the bill is paid again. Nothing is to be done.",
    "lost": "Lost: the bill is owed again. Where the payer sought to be paid twice, call them.",
    "prevented": "Prevented: it was settled before it began. Nothing is to be done.",
    "warning_closed": "The question was withdrawn. Nothing is to be done.",
}


def returned(code: ReturnCode) -> str:
    """What is to be done about a bank's return."""
    steps = [f"{code.code or 'No code'}: {code.title.lower()}. Final: a bank return is not argued."]
    if code.is_unauthorized:
        steps.append("The account is blocked, its mandate dead: no debit without a new mandate. Call the payer.")
    elif code.account is Account.DISABLED:
        steps.append("The account is stopped: the payer gives another.")
    elif code.account is Account.REVIEWED:
        steps.append("Find out at the provider what was wrong before the account is debited again.")
    if code.autopay in (Autopay.CANCELED, Autopay.SUSPENDED):
        steps.append(f"Autopay on it is {code.autopay}.")
    if code.code in ("R14", "R15"):
        steps.append("Start the deceased-member workflow; stop letters in the person's name.")
    return " ".join(steps)
