"""Random histories of a household against an oracle in plain Python: every invariant, each step (FAULTS O02, I10)."""

from dataclasses import dataclass, field

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ledger
from ledger import Posting, trial
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount
from ledger.models import Transfer
from tests.ledger.books import DAY, Book, balance, open_book, summed

BILL, OTHER, CREDIT = "bill", "other_bill", "credit"
S = SystemAccount

# What may happen to a household: the movement, and the side that is its bill's or its credit's.
EVENTS: dict[str, tuple[Code, str | S, str | S]] = {
    "bill": (Code.BILL_ISSUED, BILL, S.MEDICAL_REVENUE),
    "raise": (Code.BILL_RAISED, BILL, S.MEDICAL_REVENUE),
    "lower": (Code.BILL_LOWERED, S.MEDICAL_REVENUE, BILL),
    "void": (Code.BILL_VOIDED, S.MEDICAL_REVENUE, BILL),
    "pay": (Code.PAYMENT, S.STRIPE_CLEARING, BILL),
    "overpay": (Code.OVERPAYMENT, S.STRIPE_CLEARING, CREDIT),
    "apply credit": (Code.CREDIT_APPLIED, CREDIT, BILL),
    "raise credit": (Code.CREDIT_RAISED, BILL, CREDIT),
    "check": (Code.LOCKBOX_PAYMENT, S.LOCKBOX, BILL),
    "refund": (Code.REFUND, BILL, S.STRIPE_CLEARING),
    "refund credit": (Code.CREDIT_REFUND, CREDIT, S.STRIPE_CLEARING),
    "return": (Code.BANK_RETURN, BILL, S.STRIPE_CLEARING),
    "dispute": (Code.DISPUTE, BILL, S.STRIPE_CLEARING),
    "adjust": (Code.ADJUSTMENT, S.ADJUSTMENT_EXPENSE, BILL),
    "assist": (Code.ASSISTANCE, S.CHARITY_CARE_EXPENSE, BILL),
}


@dataclass(frozen=True)
class Step:
    """One thing that happens: an event, or the undoing of an earlier transfer, alone or with others in one batch."""

    event: str
    is_other_bill: bool
    cents: int


@dataclass
class Oracle:
    """What the book must hold, reckoned without it: balances by name, and which transfers stand and are undone."""

    balances: dict[str | S, int] = field(default_factory=dict)
    standing: list[tuple[str | S, str | S, int]] = field(default_factory=list)
    undone: set[int] = field(default_factory=set)

    def after(self, movements: list[tuple[str | S, str | S, int]]) -> dict[str | S, int] | None:
        """The balances after these movements; None where a bill would be overpaid or credit overspent."""
        balances = dict(self.balances)
        for debit, credit, cents in movements:
            balances[debit] = balances.get(debit, 0) + cents
            balances[credit] = balances.get(credit, 0) - cents
        if min(balances.get(BILL, 0), balances.get(OTHER, 0), -balances.get(CREDIT, 0)) < 0:
            return None
        return balances


steps = st.builds(Step, st.sampled_from([*EVENTS]), st.booleans(), st.integers(1, 300))
histories = st.lists(st.one_of(st.lists(steps, min_size=1, max_size=4), st.integers(0, 30)), max_size=25)


@given(history=histories)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_history_keeps_every_invariant(db: None, history: list[list[Step] | int]) -> None:
    """M1, M2, M3: balances as the oracle has them, limits kept, refusals whole, repeats without effect."""
    with transaction.atomic():
        book, oracle = open_book(), Oracle()
        for number, happening in enumerate(history):
            if isinstance(happening, int):
                undo(book, oracle, happening, number)
            else:
                do(book, oracle, happening, number)
            agree(book, oracle)
        transaction.set_rollback(True)


def do(book: Book, oracle: Oracle, batch: list[Step], number: int) -> None:
    """Let a batch happen, to the book and to the oracle: both take it, or neither."""
    movements, postings = [], []
    for place, step in enumerate(batch):
        code, debit, credit = EVENTS[step.event]
        debit, credit = (OTHER if side == BILL and step.is_other_bill else side for side in (debit, credit))
        movements.append((debit, credit, step.cents))
        ids = [SYSTEM_ACCOUNT_IDS[side] if isinstance(side, S) else getattr(book, side) for side in (debit, credit)]
        postings.append(Posting(*ids, step.cents, code, f"{number}:{place}", "story", DAY, book.owner_id))
    expected = oracle.after(movements)
    try:
        with transaction.atomic():
            if len(postings) == 1:
                assert ledger.post(postings[0]).is_new
            else:
                assert ledger.post_many(postings) == len(postings)
    except ledger.LimitExceeded:
        assert expected is None
        return
    assert expected is not None, "the book took what the oracle refuses"
    oracle.balances = expected
    oracle.standing += movements
    assert ledger.post_many(postings) == 0


def undo(book: Book, oracle: Oracle, index: int, number: int) -> None:
    """Reverse one of the transfers that stand: once, and only where the limits allow."""
    if index >= len(oracle.standing):
        return
    debit, credit, cents = oracle.standing[index]
    transfer_id = Transfer.objects.filter(owner_id=book.owner_id).order_by("id")[index].pk
    expected = oracle.after([(credit, debit, cents)])
    try:
        with transaction.atomic():
            ledger.reverse(transfer_id, key=f"undo:{number}", reference="story", effective_on=DAY)
    except ledger.AlreadyReversed:
        assert index in oracle.undone
        return
    except ledger.LimitExceeded:
        assert expected is None
        return
    assert expected is not None
    assert index not in oracle.undone
    oracle.undone.add(index)
    oracle.balances = expected
    oracle.standing.append((credit, debit, cents))


def agree(book: Book, oracle: Oracle) -> None:
    """The book and the oracle say the same, and the book agrees with itself."""
    for name in (BILL, OTHER, CREDIT):
        expected = oracle.balances.get(name, 0)
        assert balance(getattr(book, name)) == summed(getattr(book, name)) == expected
    assert balance(book.control) == oracle.balances.get(BILL, 0) + oracle.balances.get(OTHER, 0)
    assert Transfer.objects.filter(owner_id=book.owner_id).count() == len(oracle.standing)
    assert trial.is_zero(trial.balance())
