"""Many at once on the same money. Each race is proved twice: that it happens unguarded, that it cannot guarded."""

import functools
import random
import threading

import pytest
from django.db import connection, transaction

import ledger
from ledger.chart import AccountType, Code
from ledger.models import Account, Transfer
from ledger.transactions import atomic_with_retry
from tests.ledger.books import CLEARING, DAY, Book, balance, charge, open_book, payment, posting, summed
from tests.ledger.races import together

PAYERS = 50
SEEDS = 120


@pytest.fixture
def book(real_db: None) -> Book:
    """A household with a bill of $100.00 charged, committed."""
    book = open_book()
    ledger.post(charge(book.bill, 10_000))
    return book


def look_then_pay(account_id: int, cents: int, key: str, everybody_looked: threading.Barrier) -> None:
    """What a program does that trusts its own look: read the balance, then post."""
    if balance(account_id) >= cents:
        everybody_looked.wait(30)
        ledger.post(payment(account_id, cents, key))


def test_unguarded_everybody_who_looked_first_pays(real_db: None) -> None:
    """FAULTS A04: without the account's limit, ten payers pay one bill ten times."""
    bill = Account.objects.create(type=AccountType.ASSET, owner_id=7).pk
    ledger.post(charge(bill, 10_000))
    gate = threading.Barrier(10)
    outcomes = together([functools.partial(look_then_pay, bill, 10_000, f"p{i}", gate) for i in range(10)])
    assert outcomes == {"ok": 10}
    assert balance(bill) == -90_000


def test_of_fifty_payers_of_one_bill_one_succeeds(book: Book) -> None:
    """FAULTS A04: exactly one success, 49 clean refusals; all of them had looked and seen the whole owed."""
    gate = threading.Barrier(PAYERS)
    jobs = [functools.partial(look_then_pay, book.bill, 10_000, f"p{i}", gate) for i in range(PAYERS)]
    assert together(jobs) == {"ok": 1, "LimitExceeded": PAYERS - 1}
    assert balance(book.bill) == summed(book.bill) == balance(book.control) == 0
    assert Transfer.objects.filter(code=Code.PAYMENT).count() == 1


def test_part_payments_race_down_to_the_last_cent(book: Book) -> None:
    """FAULTS A11: 40 payers of $3.33 owe $100.00 together: 30 fit, and the last ten cents are still owed."""
    jobs = [functools.partial(ledger.post, payment(book.bill, 333, f"p{i}")) for i in range(40)]
    assert together(jobs) == {"ok": 30, "LimitExceeded": 10}
    assert balance(book.bill) == summed(book.bill) == 10
    assert together([functools.partial(ledger.post, payment(book.bill, 1, f"c{i}")) for i in range(12)]) == {
        "ok": 10,
        "LimitExceeded": 2,
    }
    assert balance(book.bill) == balance(book.control) == 0


def test_one_key_posted_by_twenty_at_once_stands_once(book: Book) -> None:
    """FAULTS A01, C07, for the book: one transfer, and everybody is told its id."""
    ids: list[int] = []
    jobs = [lambda: ids.append(ledger.post(payment(book.bill, 100)).id) for _ in range(20)]
    assert together(jobs) == {"ok": 20}
    assert len(set(ids)) == 1
    assert balance(book.bill) == 9_900


def test_one_key_with_twenty_contents_stands_once(book: Book) -> None:
    """FAULTS A02: the first content stands, every other is refused."""
    jobs = [functools.partial(ledger.post, payment(book.bill, 100 + i, "same")) for i in range(20)]
    assert together(jobs) == {"ok": 1, "KeyReused": 19}
    assert Transfer.objects.filter(key="same").count() == 1


def test_a_transfer_reversed_by_many_is_reversed_once(book: Book) -> None:
    """FAULTS A13, for the book: with one key all find the one; with other keys they are refused.

    Many rounds, since which of the two unique constraints finds the second out is a matter of microseconds.
    """
    for paid_cents in range(4_001, 4_031):
        paid = ledger.post(payment(book.bill, paid_cents, f"paid {paid_cents}")).id
        undo = functools.partial(ledger.reverse, paid, reference="payment:1", effective_on=DAY)
        assert together([functools.partial(undo, key=f"undo {paid}") for _ in range(10)]) == {"ok": 10}
        assert together([functools.partial(undo, key=f"undo {paid}.{i}") for i in range(3)]) == {"AlreadyReversed": 3}
        assert balance(book.bill) == 10_000


@pytest.mark.parametrize(("key", "outcome"), [("undo", "ok"), ("again", "AlreadyReversed")])
def test_a_reversal_waits_for_one_that_is_not_committed_yet(book: Book, key: str, outcome: str) -> None:
    """FAULTS A13, for the book: the constraints alone make the second wait; it finds the first, or is refused."""
    paid = ledger.post(payment(book.bill, 4_000)).id
    undo = functools.partial(ledger.reverse, paid, reference="payment:1", effective_on=DAY)
    outcomes: list[dict[str, int]] = []
    second = threading.Thread(target=lambda: outcomes.append(together([functools.partial(undo, key=key)])))
    with transaction.atomic(), connection.cursor() as cursor:
        undo(key="undo")
        second.start()
        for _ in range(500):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                break
            cursor.execute("SELECT pg_sleep(0.02)")
    second.join(30)
    assert outcomes == [{outcome: 1}]
    assert balance(book.bill) == 10_000


def test_whoever_comes_first_the_end_is_the_same(real_db: None) -> None:
    """FAULTS A16: webhook, return page, poller and staff act on one payment in random order, some of them twice."""
    for seed in range(SEEDS):
        chance, book = random.Random(seed), open_book(owner_id=seed + 1)
        ledger.post_many([charge(book.bill, 10_000, "1", seed + 1), charge(book.other_bill, 500, "2", seed + 1)])
        jobs = [functools.partial(succeed, book)] * chance.randint(1, 3)
        jobs += [functools.partial(refund, book)] * chance.randint(1, 3)
        chance.shuffle(jobs)
        assert together(jobs) == {"ok": len(jobs)}, seed
        assert (balance(book.bill), balance(book.other_bill), balance(book.control)) == (5_000, 200, 5_200), seed


@atomic_with_retry
def succeed(book: Book) -> None:
    """A payment's success, whoever hears of it: the same keys."""
    ledger.post_many(
        [
            payment(book.other_bill, 500, "payment:2", book.owner_id),
            payment(book.bill, 6_000, "payment:1", book.owner_id),
        ]
    )


@atomic_with_retry
def refund(book: Book) -> None:
    """What staff does meanwhile, in the other order of accounts."""
    ledger.post(posting(book.bill, CLEARING, 1_000, Code.REFUND, "refund:1", book.owner_id))
    ledger.post(charge(book.other_bill, 200, "late", book.owner_id))


def move_raw(first: int, second: int, both_hold_one: threading.Barrier) -> None:
    """Update two balances as a program without the wall would: in the order it happens to name them."""
    with transaction.atomic(), connection.cursor() as cursor:
        for account_id in (first, second):
            cursor.execute("SELECT FROM ledger_account WHERE id = %s FOR UPDATE", [account_id])
            if account_id == first:
                both_hold_one.wait(30)


def test_unguarded_two_who_lock_crosswise_deadlock(book: Book) -> None:
    """FAULTS A16, A20: Postgres kills one of them."""
    gate = threading.Barrier(2)
    ids = (book.bill, book.other_bill)
    jobs = [functools.partial(move_raw, *order, gate) for order in (ids, ids[::-1])]
    assert together(jobs) == {"ok": 1, "OperationalError": 1}


def test_batches_that_name_the_same_accounts_crosswise_never_deadlock(book: Book) -> None:
    """FAULTS A16: the wall changes accounts in the order of their ids, whatever the order of the rows."""
    ledger.post(charge(book.other_bill, 10_000, "other"))
    others = [open_book(owner_id=7) for _ in range(8)]
    accounts = [book.bill, book.other_bill, *(b.bill for b in others)]

    def batches(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(15):
            order = chance.sample(accounts, len(accounts))
            ledger.post_many([charge(account_id, 1, f"{seed}:{number}:{account_id}") for account_id in order])

    assert together([functools.partial(batches, seed) for seed in range(8)]) == {"ok": 8}
    assert balance(book.bill) == 10_000 + 8 * 15


def test_transactions_of_many_postings_that_deadlock_are_tried_again(book: Book) -> None:
    """FAULTS A16, A20: two postings in one transaction may lock crosswise; the outermost is begun again, whole."""
    ledger.post(charge(book.other_bill, 10_000, "other"))
    stranger = open_book(owner_id=8)
    ledger.post(charge(stranger.bill, 10_000, owner_id=8))
    sides = [(book.bill, 7), (stranger.bill, 8)]
    tries: list[int] = []

    @atomic_with_retry
    def both(order: int, gate: threading.Barrier) -> None:
        tries.append(order)
        for place, (account_id, owner_id) in enumerate(sides[::order]):
            ledger.post(payment(account_id, 10, f"both:{order}", owner_id))
            if place == 0 and len(tries) <= 2:
                gate.wait(30)

    gate = threading.Barrier(2)
    assert together([functools.partial(both, order, gate) for order in (1, -1)]) == {"ok": 2}
    assert len(tries) == 3, "one of the two was begun again"
    assert balance(book.bill) == balance(stranger.bill) == 9_980
