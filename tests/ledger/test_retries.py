"""Where Postgres asks to begin again, the whole is begun again, a bounded number of times (FAULTS A20)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection

import ledger
from activity.models import Event
from activity.recording import record
from ledger.models import Transfer
from ledger.transactions import MAX_ATTEMPTS, atomic_with_retry
from tests.ledger.books import Book, balance, charge, open_book, payment

WRITES = ("INSERT", "UPDATE", "DELETE")


@pytest.fixture
def book(real_db: None) -> Book:
    """A household with a bill of $100.00 charged, committed."""
    book = open_book()
    ledger.post(charge(book.bill, 10_000))
    return book


@contextmanager
def failing(at: int, code: str, times: int) -> Iterator[list[str]]:
    """Let Postgres itself fail with this code at the write number `at`, so many times; yields the writes seen."""
    seen: list[str] = []
    left = times

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        if str(sql).strip().startswith(WRITES):
            seen.append(str(sql).strip()[:40])
            if len(seen) == at and left:
                left -= 1
                seen.clear()
                execute(f"DO $$ BEGIN RAISE 'injected' USING ERRCODE = '{code}'; END $$", None, many, context)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield seen


@atomic_with_retry
def settle(book: Book) -> None:
    """What a payment's success does to the book and the record: three writes."""
    ledger.post(payment(book.bill, 4_000, "a"))
    record("payment.succeeded", subject="payment:1", actor="system")
    ledger.post_many([payment(book.bill, 5_000, "b"), payment(book.bill, 1_000, "c")])


def test_it_has_three_writes(book: Book) -> None:
    """What the tests below go through one by one."""
    with failing(at=99, code="40001", times=0) as seen:
        settle(book)
    assert len(seen) == 3


@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("times", [1, MAX_ATTEMPTS - 1])
def test_it_is_begun_again_whole(book: Book, code: str, at: int, times: int) -> None:
    """FAULTS A20: each write fails in turn; in the end everything stands once."""
    with failing(at, code, times):
        settle(book)
    assert balance(book.bill) == 0
    assert Transfer.objects.count() == 4
    assert Event.objects.count() == 1


@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_it_gives_up_after_a_bounded_number_and_leaves_nothing(book: Book, code: str, at: int) -> None:
    """FAULTS A20: no half entry."""
    with failing(at, code, times=MAX_ATTEMPTS), pytest.raises(OperationalError, match="injected"):
        settle(book)
    assert balance(book.bill) == 10_000
    assert Transfer.objects.count() == 1
    assert not Event.objects.exists()


def test_another_error_is_not_tried_again(book: Book) -> None:
    """Only what Postgres calls a serialization failure or a deadlock."""
    with failing(at=1, code="57014", times=1), pytest.raises(OperationalError):
        settle(book)
    assert Transfer.objects.count() == 1


def test_inside_a_transaction_it_is_the_outermost_that_begins_again(book: Book) -> None:
    """An inner one cannot: its transaction is gone."""
    attempts = []

    @atomic_with_retry
    def outer() -> None:
        attempts.append(1)
        settle(book)

    with failing(at=2, code="40001", times=1):
        outer()
    assert len(attempts) == 2
    assert balance(book.bill) == 0
