"""One transfer a commit: `ledger-post` and `ledger-hot`."""

import ledger
from bench import book, databases
from bench.frame import Run, benchmark
from bench.processes import together
from ledger import Posting
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount

CLIENTS = 8

# The movements that debit a receivable, one for each system account: the same work, spread.
SPREAD = [
    (Code.BILL_ISSUED, SystemAccount.MEDICAL_REVENUE), (Code.BILL_RAISED, SystemAccount.PREMIUM_REVENUE),
    (Code.REFUND, SystemAccount.STRIPE_CLEARING), (Code.FINANCE_CHARGE, SystemAccount.FINANCE_CHARGE_REVENUE),
    (Code.RETURN_FEE, SystemAccount.FEE_REVENUE), (Code.SUBSIDY_WITHDRAWN, SystemAccount.SUBSIDY_EXPENSE),
]  # fmt: skip


def post_all(postings: list[Posting]) -> None:
    """Through the ledger, one a commit."""
    for posting in postings:
        ledger.post(posting)


def insert_all(postings: list[Posting]) -> None:
    """By one raw statement each, past the ledger."""
    made = databases.raw()
    cursor = made.cursor()
    for posting in postings:
        cursor.execute(book.RAW_INSERT, posting.row())
    made.close()


@benchmark("ledger-post", size=1500, full=20_000)
def ledger_post(run: Run) -> None:
    """`ledger.post`, one a commit, from 1 and 8 connections, against one raw statement on the same table."""
    databases.fresh()
    receivables = book.open_receivables(run.size)
    prepared: list[list[Posting]] = []

    def prepare() -> None:
        prepared[:] = [book.charges(receivables)]
        databases.vacuum("ledger_account")

    run.compare(
        "1 connection",
        lambda: post_all(prepared[0]),
        lambda: insert_all(prepared[0]),
        work=run.size, before=prepare, at_least=0.6,
    )  # fmt: skip
    run.compare(
        f"{CLIENTS} connections",
        lambda: together(CLIENTS, lambda number: post_all(prepared[0][number::CLIENTS])),
        lambda: together(CLIENTS, lambda number: insert_all(prepared[0][number::CLIENTS])),
        work=run.size, before=prepare, at_least=0.6,
    )  # fmt: skip


@benchmark("ledger-hot", size=3000, full=40_000)
def ledger_hot(run: Run) -> None:
    """8 connections, every posting touching one system account, against the same postings spread."""
    databases.fresh()
    receivables = book.open_receivables(run.size)
    hot: list[Posting] = []
    spread: list[Posting] = []

    def prepare() -> None:
        hot[:] = book.charges(receivables)
        spread.clear()
        for place, (code, account) in enumerate(SPREAD):
            spread.extend(book.charges(receivables[place :: len(SPREAD)], SYSTEM_ACCOUNT_IDS[account], code))
        spread.sort(key=lambda posting: posting.debit_id)
        databases.vacuum("ledger_account")

    run.compare(
        f"{CLIENTS} connections, one system account",
        lambda: together(CLIENTS, lambda number: post_all(hot[number::CLIENTS])),
        lambda: together(CLIENTS, lambda number: post_all(spread[number::CLIENTS])),
        work=run.size, before=prepare, at_least=0.95,
    )  # fmt: skip
