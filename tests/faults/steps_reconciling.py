"""Steps that only the reconciliation can explain: money that the portal never asked for, and payouts."""

import datetime as dt

from django.utils import timezone

from payments import reconciling
from tests.faults.book import Book
from tests.faults.oracle import CLEARING, Journal, Verdict
from tests.faults.scene import Scene

BANK, FEES, SUSPENSE = 2, 11, 12  # docs/ledger.md: the plan's own accounts have fixed ids
FOREIGN_CENTS = (100, 30_000)
SUM = (
    "SELECT coalesce(sum(CASE WHEN debit_id = %s THEN amount_cents ELSE -amount_cents END), 0)"
    " FROM ledger_transfer WHERE %s IN (debit_id, credit_id)"
)
MOVED = {"payout", "payout_failure", "payout_cancel"}


def foreign_charge(scene: Scene) -> None:
    """Somebody charges a card past the portal: nothing of it is in any household (D20)."""
    scene.provider.post("charges", amount=scene.random.randrange(*FOREIGN_CENTS))
    scene.count("charge past the portal")
    scene.rest()


def payout(scene: Scene) -> None:
    """What stands at the provider goes to the plan's bank, and at times comes back (D23)."""
    scene.pay()
    scene.rest()
    made = scene.provider.post("payouts")
    scene.count("payout")
    if scene.random.random() < 0.5:
        scene.provider.post("payouts/fail", payout=made["id"])
        scene.count("payout fails")
    scene.rest()


def reconcile(verdict: Verdict, journal: Journal, book: Book) -> None:
    """M17, after everything: the reconciliation runs twice, and then the whole book says what the provider's says.

    Worked out from the provider's journal and plain SQL: clearing, bank, fees and suspense, each to the cent.
    """
    journal.read()
    lines = list(journal.tables["balance_transaction"].values())
    # The provider's clock is put forward within a seed: its lines are ahead of ours, by days over many seeds.
    last = max((line["created"] for line in lines), default=0)
    for _run in range(2):
        reconciling.run(until=max(timezone.now(), dt.datetime.fromtimestamp(last + 1, dt.UTC)))
    expected = {
        CLEARING: sum(line["net"] for line in lines),
        BANK: -sum(line["net"] for line in lines if line["type"] in MOVED),
        FEES: sum(line["fee"] for line in lines),
        SUSPENSE: -sum(foreign(journal, book)),
    }
    for account, cents in expected.items():
        found = int(book.one(SUM, account, account))
        verdict.unreconciled += abs(found - cents)
        verdict.hold("M17", found == cents, f"account {account} holds {found} cents, and must hold {cents}")
    stored = book.one("SELECT count(*) FROM payments_balancetransaction WHERE outcome <> 'waiting'")
    verdict.hold("M17", stored == len(lines), f"{stored} of {len(lines)} lines were compared")
    differing = book.rows("SELECT kind, subject FROM payments_finding WHERE closed_at IS NULL AND kind <> 'only_there'")
    verdict.hold("M17", not differing, f"the books differ: {differing[:5]}")


def foreign(journal: Journal, book: Book) -> list[int]:
    """The charges that no payment of the portal's asked for, US cents."""
    known = {number for (number,) in book.rows("SELECT number FROM payments_payment")}
    mine = {
        i["id"] for i in journal.tables["payment_intent"].values() if (i.get("metadata") or {}).get("payment") in known
    }
    return [
        charge["amount"] for charge in journal.tables["charge"].values()
        if charge["status"] == "succeeded" and charge["payment_intent"] not in mine
    ]  # fmt: skip


STEPS = {"foreign charge": foreign_charge, "payout": payout}
