"""An account is put below another control of its household with all that it holds, and no posting goes astray."""

import threading
import time

import pytest
from django.db import connection, transaction

import ledger
from ledger import checks, opening, regrouping
from ledger.checks import RULES
from ledger.models import Account
from ledger.transactions import atomic_with_retry
from tests.ledger.books import balance, charge, open_book, payment
from tests.ledger.test_walls import refused

PUT = "UPDATE ledger_account SET control_id = %s WHERE id = %s"


def other_control(owner_id: int = 7) -> int:
    return opening.control(owner_id=owner_id).pk


def test_what_an_account_holds_goes_along_and_nothing_else_changes(db: None) -> None:
    book, aside = open_book(), other_control()
    ledger.post_many([charge(book.bill, 10_000), charge(book.other_bill, 400, "other"), payment(book.bill, 2_500)])
    assert regrouping.put_below(book.bill, aside)
    assert (balance(book.bill), balance(book.control), balance(aside)) == (7_500, 400, 7_500)
    assert not regrouping.put_below(book.bill, aside)
    ledger.post(payment(book.bill, 500, "later"))
    ledger.post_many([payment(book.bill, 1_000, "many"), payment(book.other_bill, 100, "others")])
    assert (balance(book.bill), balance(book.control), balance(aside)) == (6_000, 300, 6_000)
    assert checks.run(RULES, deep=True) == []


@pytest.mark.parametrize("control", ["stranger", "receivable", "nowhere"])
def test_it_is_put_below_no_control_but_its_households(db: None, control: str) -> None:
    book = open_book()
    ids = {"stranger": open_book(owner_id=8).control, "receivable": book.other_bill, "nowhere": 99_999_999}
    refused(PUT, ids[control], book.bill, by="rolls up into a control account of its own")


def test_what_stands_below_none_stays_so_and_no_balance_is_changed_on_the_way(db: None) -> None:
    book, aside = open_book(), other_control()
    refused(PUT, aside, book.credit, by="terms of an account are fixed")
    refused(
        "UPDATE ledger_account SET control_id = %s, balance_cents = 5 WHERE id = %s", aside, book.bill,
        by="a balance changes by a transfer|terms of an account are fixed",
    )  # fmt: skip


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_posting_that_looked_before_is_begun_again(real_db: None, is_batch: bool) -> None:
    """It has read the account below its old control, and waits: unguarded it would change that one's sum."""
    book, aside = open_book(), other_control()
    ledger.post_many([charge(book.bill, 10_000), charge(book.other_bill, 400, "other")])
    tries = []

    @atomic_with_retry
    def pay() -> None:
        tries.append(1)
        ledger.post_many([payment(book.bill, 1_000), *([payment(book.other_bill, 100, "other paid")] * is_batch)])

    def run() -> None:
        try:
            pay()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        regrouping.put_below(book.bill, aside)
        thread.start()
        wait_for_a_waiting_one()
    thread.join(30)
    assert len(tries) == 2
    assert (balance(book.bill), balance(aside)) == (9_000, 9_000)
    assert balance(book.control) == balance(book.other_bill) == (300 if is_batch else 400)
    assert Account.objects.get(pk=book.bill).control_id == aside


def wait_for_a_waiting_one() -> None:
    """Until another session waits for what this one holds."""
    for _try in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")
