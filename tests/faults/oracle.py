"""What the ledger must hold, by somebody who has never seen the portal's code.

It reads the provider's journal as plain JSON and the database as plain SQL, works out the one from the other, and says
how many cents are lost (the provider has them, the book has not), created (the reverse), doubled (taken or sent back
twice) and unreconciled (the sums differ).
"""

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.book import Book

CLEARING = 1  # docs/ledger.md: the plan's own accounts have fixed ids
PAYMENT, OVERPAYMENT, REFUND, CREDIT_REFUND, BANK_RETURN, DISPUTE = 20, 21, 30, 31, 32, 33
STANDING = ("succeeded", "pending", "requires_action")
SETTLED = ("succeeded", "partially_refunded", "refunded", "disputed", "returned")
UNDECIDED = ("submitted", "requires_action", "processing")
# Which state may follow which (DESIGN section 4), in the oracle's own words.
AFTER = {
    "draft": {"submitted", "canceled"},
    "submitted": {"requires_action", "processing", "succeeded", "failed", "canceled"},
    "requires_action": {"processing", "succeeded", "failed", "canceled"},
    "processing": {"succeeded", "failed", "canceled"},
    "failed": {"succeeded", "processing"},
    "canceled": {"succeeded", "processing"},
    **{before: set(SETTLED) - {before} for before in SETTLED if before != "returned"},
    "returned": {"succeeded"},  # a return that the bank takes back
}


@dataclass
class Verdict:
    """Cents that went wrong, what was looked at, and in words what is not right."""

    lost: int = 0
    created: int = 0
    doubled: int = 0
    unreconciled: int = 0
    charges: int = 0
    refunds: int = 0
    disputes: int = 0
    moved: int = 0
    matched: int = 0
    evaluated: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether not one cent and no invariant is amiss."""
        return not (self.lost or self.created or self.doubled or self.unreconciled or self.problems)

    def hold(self, invariant: str, holds: bool, words: str) -> None:
        """Count an invariant of FAULTS.md as looked at."""
        self.evaluated[invariant] += 1
        if not holds:
            self.failed[invariant] += 1
            self.problems.append(f"{invariant}: {words}")

    def add(self, other: "Verdict") -> None:
        """Sum up."""
        for name in (
            "lost",
            "created",
            "doubled",
            "unreconciled",
            "charges",
            "refunds",
            "disputes",
            "moved",
            "matched",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.evaluated += other.evaluated
        self.failed += other.failed
        self.problems += other.problems


class Journal:
    """The provider's objects as they stand, from its journal: a line a change, the last one holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tables: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self._read_to = 0

    def read(self) -> None:
        """Take in what is new."""
        with self.path.open("rb") as lines:
            lines.seek(self._read_to)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._read_to += len(line)
                kind, key, value = json.loads(line)
                if kind in ("payment_intent", "charge", "refund", "dispute", "balance_transaction"):
                    if value is None:
                        self.tables[kind].pop(key, None)
                    else:
                        self.tables[kind][key] = value

    def by(self, kind: str, name: str) -> dict[str, list[dict[str, Any]]]:
        """The objects of a kind by the value of a field."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.tables[kind].values():
            found[row[name] or ""].append(row)
        return found


class Oracle:
    """Judges households."""

    def __init__(self, journal: Path, book: Book) -> None:
        self.journal, self.book = Journal(journal), book
        self._prints: dict[int, tuple[int, str]] = {}

    def judge(self, charged_cents: dict[int, int]) -> Verdict:
        """Judge households, given what each one's bills charge, US cents."""
        self.journal.read()
        tables = self.journal.tables
        self._intents: dict[str, list[str]] = defaultdict(list)
        for intent in tables["payment_intent"].values():
            self._intents[(intent.get("metadata") or {}).get("payment", "")].append(intent["id"])
        self._charges = self.journal.by("charge", "payment_intent")
        self._refunds = self.journal.by("refund", "charge")
        self._disputes = self.journal.by("dispute", "charge")
        self._lines = self.journal.by("balance_transaction", "source")
        verdict = Verdict()
        for house, cents in charged_cents.items():
            verdict.add(self._house(house, cents))
        return verdict

    def _house(self, house: int, charged_cents: int) -> Verdict:
        verdict = Verdict()
        transfers = self.book.rows(
            "SELECT id, debit_id, credit_id, amount_cents, code, reference, reverses_id, key FROM ledger_transfer"
            " WHERE owner_id = %s ORDER BY id", house
        )  # fmt: skip
        payments = self.book.rows(
            "SELECT id, number, status, amount_cents FROM payments_payment WHERE household_id = %s", house
        )
        net = 0
        for payment in payments:
            net += self._payment(payment, transfers, verdict)
        self._autopay(house, verdict)
        taken_back = sum(_clearing(t) for t in transfers if t[4] in (BANK_RETURN, DISPUTE))
        self._compare(verdict, -self._disputed, taken_back, f"household {house}: disputes and returns")
        self._book(house, charged_cents, net, transfers, verdict)
        self._unchanged(house, transfers, verdict)
        return verdict

    _disputed = 0

    def _payment(self, payment: tuple[Any, ...], transfers: list[tuple[Any, ...]], verdict: Verdict) -> int:
        """Judge one payment; what it brought in the end at the provider, US cents."""
        _id, number, status, amount = payment
        charges = [c for intent in self._intents[number] for c in self._charges[intent] if c["status"] == "succeeded"]
        posted = sum(t[3] for t in transfers if t[5] == f"payment:{number}" and t[4] in (PAYMENT, OVERPAYMENT))
        first = charges[0]["amount"] if charges else 0
        verdict.charges += len(charges)
        verdict.moved += sum(charge["amount"] for charge in charges)
        verdict.doubled += sum(charge["amount"] for charge in charges[1:])
        self._compare(verdict, first, posted, f"payment {number}")
        verdict.hold("M4", len(charges) <= 1, f"payment {number} was charged {len(charges)} times")
        is_settled = status in SETTLED
        verdict.hold("M5", is_settled == bool(charges), f"payment {number} is {status}, with {len(charges)} charges")
        verdict.hold("M5", not charges or first == amount, f"payment {number} of {amount} was charged {first}")
        verdict.hold("M10", status != "submitted", f"payment {number} is still unknown")
        verdict.matched += bool(charges) and first == posted == amount
        refunded = sum(self._refunds_of(charge, transfers, verdict) for charge in charges)
        disputed = 0
        for charge in charges:
            for dispute in self._disputes[charge["id"]]:
                verdict.disputes += 1
                disputed -= sum(line["amount"] for line in self._lines[dispute["id"]])
        self._disputed += disputed
        return sum(charge["amount"] for charge in charges) - refunded - disputed

    def _autopay(self, house: int, verdict: Verdict) -> None:
        """Each bill is charged by autopay once a cycle, whatever fired twice, and never more than was announced."""
        charges = self.book.rows(
            "SELECT c.bill_id, c.cycle, c.amount_cents, y.number FROM payments_autopaycharge c"
            " JOIN payments_payment y ON y.id = c.payment_id WHERE c.household_id = %s ORDER BY c.id", house
        )  # fmt: skip
        taken: set[tuple[int, int]] = set()
        for bill, cycle, announced, number in charges:
            made = [c for intent in self._intents[number] for c in self._charges[intent] if c["status"] == "succeeded"]
            cents = sum(charge["amount"] for charge in made)
            verdict.doubled += cents if (bill, cycle) in taken else 0
            verdict.hold("M4", not (made and (bill, cycle) in taken), f"bill {bill}: charged twice in cycle {cycle}")
            verdict.hold("M4", cents <= announced, f"bill {bill}: {cents} charged, {announced} announced")
            if made:
                taken.add((bill, cycle))

    def _refunds_of(self, charge: dict[str, Any], transfers: list[tuple[Any, ...]], verdict: Verdict) -> int:
        sent, by_row = 0, Counter[str]()
        for refund in self._refunds[charge["id"]]:
            stands = refund["amount"] if refund["status"] in STANDING else 0
            row = self.book.one("SELECT id FROM payments_refund WHERE stripe_refund_id = %s", refund["id"])
            verdict.hold("M6", row is not None, f"refund {refund['id']} has no row")
            posted = sum(
                t[3] if t[6] is None else -t[3]
                for t in transfers
                if t[5].startswith(f"refund:{row} of ") and t[4] in (REFUND, CREDIT_REFUND)
            )
            self._compare(verdict, -stands, -posted, f"refund {refund['id']} ({refund['status']})")
            verdict.refunds += 1
            verdict.moved += stands
            sent += stands
            if stands and (asked := (refund.get("metadata") or {}).get("refund")):
                verdict.doubled += stands if by_row[asked] else 0
                by_row[asked] += 1
        verdict.hold("M6", sent <= charge["amount"], f"charge {charge['id']}: {sent} refunded of {charge['amount']}")
        return sent

    @staticmethod
    def _compare(verdict: Verdict, provider: int, book: int, words: str) -> None:
        """Cents that only the provider has are lost, those that only the book has are created."""
        verdict.lost += max(0, provider - book)
        verdict.created += max(0, book - provider)
        if provider != book:
            verdict.problems.append(f"{words}: the provider says {provider} cents, the book {book}")

    def _book(
        self, house: int, charged_cents: int, net: int, transfers: list[tuple[Any, ...]], verdict: Verdict
    ) -> None:
        """The sums: clearing, what is owed, every account, every bill."""
        sums: Counter[int] = Counter()
        for transfer in transfers:
            sums[transfer[1]] += transfer[3]
            sums[transfer[2]] -= transfer[3]
        verdict.unreconciled += abs(sums[CLEARING] - net)
        if sums[CLEARING] != net:
            verdict.problems.append(f"household {house}: clearing holds {sums[CLEARING]} cents, the provider {net}")
        accounts = self.book.rows(
            "SELECT id, balance_cents, control_id, type FROM ledger_account WHERE owner_id = %s", house
        )
        owed = sum(sums[account[0]] for account in accounts)
        verdict.unreconciled += abs(owed - (charged_cents - net))
        if owed != charged_cents - net:
            verdict.problems.append(f"household {house}: {owed} cents are owed, and must be {charged_cents - net}")
        controls = {account[2] for account in accounts if account[2]}
        for account_id, balance, _control, _type in accounts:
            if account_id not in controls:
                verdict.hold("M2", balance == sums[account_id], f"account {account_id}: {balance}, {sums[account_id]}")
        verdict.hold("M1", sum(sums.values()) == 0, f"household {house}: debits and credits differ")
        for number, amount, receivable in self.book.rows(
            "SELECT number, amount_cents, receivable_id FROM bills_bill WHERE household_id = %s", house
        ):
            left = sums[receivable]
            verdict.hold("M3", left >= 0, f"bill {number} of {amount} cents owes {left}")
        for before, after in self.book.rows(
            "SELECT from_status, to_status FROM activity_event WHERE owner_id = %s AND kind LIKE 'payment.%%'"
            " AND from_status <> '' AND to_status <> ''", house
        ):  # fmt: skip
            verdict.hold("M9", after in AFTER.get(before, ()), f"household {house}: a payment went {before} to {after}")
        verdict.hold("M7", self._disputed == -sum(_clearing(t) for t in transfers if t[4] in (BANK_RETURN, DISPUTE)),
                     f"household {house}: disputes took {self._disputed} cents")  # fmt: skip
        self._disputed = 0

    def _unchanged(self, house: int, transfers: list[tuple[Any, ...]], verdict: Verdict) -> None:
        """M12: what was written once is still there, to the letter."""
        if house in self._prints:
            last, before = self._prints[house]
            now = _print([row for row in transfers if row[0] <= last])
            verdict.hold("M12", now == before, f"household {house}: transfers have changed")
        self._prints[house] = (transfers[-1][0] if transfers else 0, _print(transfers))


def _clearing(transfer: tuple[Any, ...]) -> int:
    """What a transfer adds to the clearing account, US cents."""
    return int(transfer[3]) * ((transfer[1] == CLEARING) - (transfer[2] == CLEARING))


def _print(rows: list[tuple[Any, ...]]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()
