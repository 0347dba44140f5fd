"""What each kind of work asks of a person, and by when: the one list that the staff's pages print."""

import datetime as dt
from dataclasses import dataclass

from activity.models import WorkItem

K = WorkItem.Kind
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Task:
    """What to do about an item of a kind, and how long it may wait where nobody else sets the day."""

    next_step: str
    due_in: dt.timedelta


TASKS: dict[str, Task] = {
    K.PAYMENT_UNKNOWN: Task(
        "Look the payment up at Stripe by its number. It is asked about again every hour until Stripe has answered; "
        "where Stripe has nothing of it after a day, it ends as failed by itself.",
        DAY,
    ),
    K.PAYMENT_CONFLICT: Task(
        "Compare the payment with Stripe's: amount, payment number, state. Correct the one that is wrong: refund what "
        "was charged too much, or adjust the bill. Nothing was changed here.",
        DAY,
    ),
    K.UNEXPECTED_MONEY: Task(
        "The money is household credit now. Ask the member whether it is to go to another bill or back to them.",
        3 * DAY,
    ),
    K.REFUND_FAILED: Task(
        "The money is still with the plan and the member waits for it. Reach the member for another way: a refund "
        "to another method is made as a check.",
        2 * DAY,
    ),
    K.REFUND_OUTSIDE: Task(
        "The refund is booked. Find out at Stripe who made it and why, and write it down here.", 5 * DAY
    ),
    K.REFUND_APPROVAL: Task(
        "Open the payment, and approve the refund or turn it down. Who asked for it cannot.", DAY
    ),
    K.ASSISTANCE: Task(
        "Open the application: read its proofs, ask in writing for what is missing, decide it by its day. Its bills "
        "wait meanwhile.",
        30 * DAY,
    ),
    K.DISPUTE: Task(
        "Open the dispute: it says what to send. Send the bill, the receipt and the consent at Stripe before the due "
        "date, or accept it there. Nothing about the service leaves the plan.",
        7 * DAY,
    ),
    K.WEBHOOK_PARKED: Task(
        "Open the event and read why. What it tells is asked for by the daily reconciliation too: close it once the "
        "payment it names stands right.",
        2 * DAY,
    ),
    K.IMPORT_REVIEW: Task("Open the import's review list; correct the file at its source, import it again.", 5 * DAY),
    K.LEDGER: Task(
        "The book does not hold. Run manage.py check_ledger, read the rows it names, and call the developer on duty. "
        "Do not post anything by hand.",
        DAY / 4,
    ),
    K.SECOND_CLAIM: Task(
        "Call both people back at the numbers on file, and find out who the member is before either is let in.", 2 * DAY
    ),
    K.SUSPENSE: Task(
        "Find out at Stripe whose money it is. Open the finding: put it to the bills or the household it was meant "
        "for, or refund it.",
        3 * DAY,
    ),
    K.PAYMENT_FROZEN: Task(
        "We hold the payment for settled and Stripe does not know it. Ask Stripe with its charge id. It cannot be "
        "refunded meanwhile; the next reconciliation that finds it at Stripe lifts the freeze.",
        DAY,
    ),
    K.RECONCILIATION: Task(
        "Open the finding: it names both amounts. Find out which is right, correct the other, and close the finding.",
        2 * DAY,
    ),
    K.BANK_DEBIT_LATE: Task(
        "The bank has not said yet what became of this debit. Ask Stripe why it takes so long, and tell the member.",
        2 * DAY,
    ),
    K.LOCKBOX: Task(
        "The check names no bill or household that we know. Read its image at the bank, and put the check to its "
        "bills or household; otherwise have the bank send it back and record that.",
        3 * DAY,
    ),
    K.CHECK_RETURNED: Task(
        "The bills of the check are owed again. Tell the member that their check came back, and how else to pay.", DAY
    ),
    K.CONFIDENTIAL_LOOK: Task(
        "Read the reason at the look, ask who opened it where it does not explain itself, and close this with what "
        "you found. Not by the person who looked.",
        7 * DAY,
    ),
    K.DEPARTURE: Task(
        "Read what is asked. A death that a holder tells of: call back at the number on file, see proof, and record it "
        "on the member's page, or close this saying what you found. A death that is recorded: find who settles the "
        "estate; its bills wait. Somebody who left without a sign-in: ask for their address, and send the bills there.",
        2 * DAY,
    ),
    K.INQUIRY: Task(
        "Open the question and answer it; the bill that it holds goes on with the answer, unless you keep it on hold.",
        2 * DAY,
    ),
    K.GUEST_PAY: Task(
        "Guest pay holds its limits by itself. Look at the log for how the tries are spread; where they go on, block "
        "their networks at the proxy, and lower the hourly limits (docs/guest-pay.md).",
        DAY / 4,
    ),
}  # fmt: skip


def next_step(kind: str) -> str:
    """What to do about an item of this kind."""
    return TASKS[kind].next_step if kind in TASKS else ""


def due_at(kind: str, *, opened_at: dt.datetime) -> dt.datetime:
    """By when an item of this kind is to be done, where its own facts do not say."""
    return opened_at + (TASKS[kind].due_in if kind in TASKS else 3 * DAY)
