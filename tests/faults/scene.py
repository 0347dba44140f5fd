"""One seed's scene: its household, the people at the pages, and what each step can do there."""

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from payments import webhooks
from tests.faults import people
from tests.faults.book import Book
from tests.faults.people import House
from tests.faults.provider import Provider
from tests.faults.rig import Rig
from tests.faults.settling import Settling
from tests.faults.visitor import Visitor, shape

LEAST_CENTS = 50
REFUND_MOST_CENTS = 20_000

OWED = """
    SELECT b.number, a.balance_cents - coalesce((SELECT sum(l.amount_cents) FROM payments_paymentallocation l
        JOIN payments_payment p ON p.id = l.payment_id
        WHERE l.bill_id = b.id AND p.status IN ('submitted', 'requires_action', 'processing')), 0)
    FROM bills_bill b JOIN ledger_account a ON a.id = b.receivable_id
    WHERE b.household_id = %s AND b.voided_at IS NULL ORDER BY b.id
"""
STATES = {
    "payments": "SELECT status FROM payments_payment WHERE household_id = %s AND status <> 'draft' ORDER BY status",
    "refunds": "SELECT r.status || ' ' || r.amount_cents FROM payments_refund r JOIN payments_payment p"
    " ON p.id = r.payment_id WHERE p.household_id = %s ORDER BY 1",
    "disputes": "SELECT d.status FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id"
    " WHERE p.household_id = %s ORDER BY 1",
    "owed": "SELECT a.balance_cents FROM bills_bill b JOIN ledger_account a ON a.id = b.receivable_id"
    " WHERE b.household_id = %s ORDER BY b.id",
    "credit": "SELECT a.balance_cents FROM accounts_household h JOIN ledger_account a ON a.id = h.credit_id"
    " WHERE h.id = %s",
}


@dataclass
class Scene:
    """What a step works with; `trace` is what happened, without ids and times."""

    rig: Rig
    provider: Provider
    book: Book
    settling: Settling
    house: House
    member: Visitor
    staff: Visitor
    random: random.Random
    trace: list[str] = field(default_factory=list)
    injected: dict[str, int] = field(default_factory=dict)

    def note(self, *words: Any) -> None:
        """Write down what came of something."""
        self.trace.append(" ".join(str(word) for word in words))

    def count(self, fault: str, times: int = 1) -> None:
        """Count a fault as injected."""
        self.injected[fault] = self.injected.get(fault, 0) + times

    def rest(self, *, passes: bool = False) -> None:
        """Come to rest, and write down where all stands."""
        self.settling.rest(self.house.household_id, passes=passes)
        found = {
            name: [row[0] for row in self.book.rows(query, self.house.household_id)] for name, query in STATES.items()
        }
        self.note("stands", found)

    def catch_up(self) -> None:
        """Read the provider's list of events of the last minutes, as the schedule does for those of the last hours."""
        webhooks.catch_up(since=timezone.now() - dt.timedelta(minutes=2))

    def amounts(self, bills: int = 1, *, whole: bool | None = None) -> dict[str, int]:
        """Amounts to pay, US cents by bill number; a bill is issued where too little is owed."""
        owed = self._owed()
        while len(owed) < bills:
            self.house.issue(self.random.randrange(5_000, 60_000))
            owed = self._owed()
        chosen = self.random.sample(owed, bills)
        return {number: self._part(cents, whole) for number, cents in chosen}

    def draft(self, *, method: str = "pm_card_visa", bills: int = 1, whole: bool | None = None) -> str:
        """The first two steps of paying; the payment's number."""
        number = self.member.draft(self.house.household_id, self.amounts(bills, whole=whole))
        self.note("method", shape(self.member.choose(number, self.provider.token(method))))
        return number

    def confirm(self, number: str) -> str:
        """The third step, and what came of it."""
        answer = self.member.confirm(number)
        self.note("confirm", shape(answer))
        return answer

    def pay(self, **how: Any) -> str:
        """All three steps; the payment's number."""
        number = self.draft(**how)
        self.confirm(number)
        return number

    def paid(self, *, whole: bool | None = None) -> tuple[int, str, int]:
        """A payment that stands and has something left to refund: its id, its intent, and the cents left."""
        found = self._paid()
        if found is None:
            self.pay(whole=whole)
            self.rest()
            found = self._paid()
        if found is None:
            raise AssertionError("a plain payment did not succeed")
        return found

    def refund(self, payment_id: int, cents: int, *, key: str | None = None) -> str:
        """The staff's refund form."""
        answer = self.staff.post(
            f"/admin/payments/payment/{payment_id}/refund/", amount=f"{cents // 100}.{cents % 100:02d}",
            reason="The clinic asked us to.", key=key or f"{self.random.getrandbits(64):016x}",
        )  # fmt: skip
        if answer.startswith("302") and not answer.endswith("/change/"):
            raise AssertionError(f"the refund form led to {answer}")
        self.note("refund", answer.split()[0])
        return answer

    def refund_cents(self, left: int, *, whole: bool = False) -> int:
        """A part of what can still be refunded, below what asks for a second person."""
        most = min(left, REFUND_MOST_CENTS)
        return most if whole or most <= LEAST_CENTS else self.random.randrange(LEAST_CENTS, most + 1)

    def charge_of(self, intent: str) -> str:
        """The provider's charge of an intent."""
        return str(
            self.book.one("SELECT stripe_charge_id FROM payments_payment WHERE stripe_payment_intent_id = %s", intent)
        )

    def intent_of(self, number: str) -> str | None:
        """The intent of a payment, where it is known."""
        found = self.book.one("SELECT stripe_payment_intent_id FROM payments_payment WHERE number = %s", number)
        return str(found) if found else None

    def _owed(self) -> list[tuple[str, int]]:
        rows = self.book.rows(OWED, self.house.household_id)
        return [(number, int(cents)) for number, cents in rows if cents >= LEAST_CENTS]

    def _part(self, cents: int, whole: bool | None) -> int:
        if whole or (whole is None and self.random.random() < 0.3) or cents < 2 * LEAST_CENTS:
            return cents
        return self.random.randrange(LEAST_CENTS, cents)

    def _paid(self) -> tuple[int, str, int] | None:
        rows = self.book.rows(
            "SELECT p.id, p.stripe_payment_intent_id, p.amount_cents - coalesce((SELECT sum(amount_cents)"
            " FROM payments_refund r WHERE r.payment_id = p.id AND r.status NOT IN ('failed', 'canceled')), 0)"
            " FROM payments_payment p WHERE p.household_id = %s AND p.method_kind = 'card'"
            " AND p.status IN ('succeeded', 'partially_refunded')"
            " AND NOT EXISTS (SELECT 1 FROM payments_dispute d WHERE d.payment_id = p.id) ORDER BY p.id",
            self.house.household_id,
        )  # fmt: skip
        good = [(int(a), str(b), int(c)) for a, b, c in rows if c >= LEAST_CENTS]
        return self.random.choice(good) if good else None


def build(rig: Rig, provider: Provider, book: Book, settling: Settling, staff: Visitor, chance: random.Random) -> Scene:
    """A new household for a seed."""
    house = people.open_house([chance.randrange(5_000, 60_000) for _bill in range(3)])
    return Scene(rig, provider, book, settling, house, Visitor(rig.web_url, house.session), staff, chance)
