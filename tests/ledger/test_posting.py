"""Posting once, whole or not at all, and undoing it once (DESIGN section 5)."""

import dataclasses

import pytest
from django.db import connection, transaction

import ledger
from ledger.chart import Code
from ledger.models import Transfer
from ledger.posting import MAX_BATCH
from tests.ledger.books import DAY, REVENUE, Book, balance, charge, open_book, payment, posting


@pytest.fixture
def book(db: None) -> Book:
    """A household with a bill of $100.00 charged."""
    book = open_book()
    ledger.post(charge(book.bill, 10_000))
    return book


def test_a_repeat_returns_the_transfer_that_stands(book: Book) -> None:
    """Same key, same content: posted once."""
    first, second = ledger.post(payment(book.bill, 100)), ledger.post(payment(book.bill, 100))
    assert (first.is_new, second.is_new) == (True, False)
    assert first.id == second.id
    assert balance(book.bill) == 9_900


@pytest.mark.parametrize(
    "change",
    [{"amount_cents": 101}, {"debit_id": 3}, {"code": Code.LOCKBOX_PAYMENT, "debit_id": 3}, {"reference": "bill:OTHER"},
     {"effective_on": DAY.replace(day=1)}, {"credit_id": "other"}],
)  # fmt: skip
@pytest.mark.parametrize("many", [False, True])
def test_a_key_with_other_content_is_refused(book: Book, change: dict[str, object], many: bool) -> None:
    """FAULTS A02, for the book: every column counts."""
    ledger.post(charge(book.other_bill, 10_000, "other"))
    standing = payment(book.bill, 100)
    ledger.post(standing)
    if change.get("credit_id") == "other":
        change = {"credit_id": book.other_bill}
    other = dataclasses.replace(standing, **change)
    if other.code == Code.PAYMENT and other.debit_id == 3:
        with pytest.raises(ledger.MovementNotAllowed):
            ledger.post(other)
        return
    with pytest.raises(ledger.KeyReused):
        ledger.post_many([payment(book.bill, 5, "new"), other]) if many else ledger.post(other)
    assert not Transfer.objects.filter(key="new").exists()
    assert balance(book.bill) == 9_900


def test_the_same_key_serves_two_households(book: Book) -> None:
    """A key is its owner's: so the table can be sharded by owner."""
    stranger = open_book(owner_id=8)
    assert ledger.post(charge(stranger.bill, 10_000, owner_id=8)).is_new


def test_a_batch_passes_over_what_stands_and_what_it_repeats(book: Book) -> None:
    """The same content under the same key: once, within the batch and before it."""
    ledger.post(payment(book.bill, 100, "a"))
    batch = [payment(book.bill, 100, "a"), payment(book.bill, 10, "b"), payment(book.bill, 10, "b")]
    assert ledger.post_many(batch) == 1
    assert ledger.post_many(batch) == 0
    assert balance(book.bill) == 9_890


def test_a_batch_refuses_one_key_with_two_contents(book: Book) -> None:
    """And then nothing of the batch stands."""
    with pytest.raises(ledger.KeyReused):
        ledger.post_many([payment(book.bill, 10, "b"), payment(book.bill, 11, "b")])
    assert balance(book.bill) == 10_000


def test_a_refused_batch_leaves_nothing_and_the_transaction_usable(book: Book) -> None:
    """All or none, and the caller may go on."""
    with transaction.atomic():
        with pytest.raises(ledger.LimitExceeded):
            ledger.post_many([payment(book.bill, 1, "a"), payment(book.bill, 10_000, "b")])
        assert ledger.post(payment(book.bill, 2, "c")).is_new
    assert balance(book.bill) == 9_998
    assert Transfer.objects.filter(owner_id=7).count() == 2


def test_a_batch_is_all_or_none_also_outside_a_transaction(real_db: None) -> None:
    """Where every statement commits itself, a batch still leaves nothing behind a refusal."""
    book = open_book()
    ledger.post(charge(book.bill, 10_000))
    ledger.post(payment(book.bill, 1, "a"))
    with pytest.raises(ledger.KeyReused):
        ledger.post_many([payment(book.bill, 7, "new"), payment(book.bill, 2, "a")])
    assert balance(book.bill) == 9_999
    assert Transfer.objects.count() == 2


def test_the_limit_holds_for_a_batch_as_a_whole(book: Book) -> None:
    """A bill lowered below what was paid: the charge back and the credit stand only together."""
    ledger.post(payment(book.bill, 9_000))
    ledger.post_many(
        [
            posting(REVENUE, book.bill, 4_000, Code.BILL_LOWERED, "lower"),
            posting(book.bill, book.credit, 3_000, Code.CREDIT_RAISED, "lower:credit"),
        ]
    )
    assert (balance(book.bill), balance(book.credit), balance(book.control)) == (0, -3_000, 0)


def test_a_batch_of_nothing_posts_nothing(db: None) -> None:
    """No statement at all."""
    assert ledger.post_many([]) == 0


def test_a_batch_beyond_its_bound_is_refused(book: Book) -> None:
    """Everything has a bound with a name."""
    with pytest.raises(ledger.LedgerError, match=str(MAX_BATCH)):
        ledger.post_many([payment(book.bill, 1)] * (MAX_BATCH + 1))


def test_any_text_but_a_control_character_may_stand_in_a_key(book: Book) -> None:
    """Batches carry text in one string a column: quotes, braces, commas, backslashes and NULL come through whole."""
    words = ["it's", '{"a",b}', "back\\slash", "NULL", "", "é 你好 🙂", "%s %%"]
    ledger.post_many([dataclasses.replace(payment(book.bill, 1, word), reference=word) for word in words])
    assert set(Transfer.objects.filter(code=Code.PAYMENT).values_list("key", "reference")) == {(w, w) for w in words}
    with pytest.raises(ledger.LedgerError, match="control character"):
        ledger.post_many([payment(book.bill, 1, "a\x1fb"), payment(book.bill, 1, "c")])


@pytest.mark.parametrize(
    ("code", "debit", "credit"),
    [(Code.PAYMENT, "bill", "clearing"), (Code.BILL_ISSUED, "bill", "clearing"), (Code.PAYOUT, "bank", "bill"),
     (999, "bill", "revenue")],
)  # fmt: skip
def test_a_movement_that_the_chart_does_not_have_is_refused(book: Book, code: int, debit: str, credit: str) -> None:
    """Alone and in a batch."""
    ids = {"bill": book.bill, "clearing": 1, "bank": 2, "revenue": REVENUE}
    wrong = posting(ids[debit], ids[credit], 1, code, "wrong")
    with pytest.raises(ledger.MovementNotAllowed):
        ledger.post(wrong)
    with pytest.raises(ledger.MovementNotAllowed):
        ledger.post_many([wrong])


def test_a_reversal_restores_every_balance(book: Book) -> None:
    """Accounts swapped, amount whole, the code of what it undoes."""
    paid = ledger.post(payment(book.bill, 2_500))
    undone = ledger.reverse(paid.id, key="undo", reference="payment:P-1", effective_on=DAY)
    assert undone.is_new
    assert balance(book.bill) == balance(book.control) == 10_000
    row = Transfer.objects.get(pk=undone.id)
    assert (row.reverses_id, row.code, row.amount_cents) == (paid.id, Code.PAYMENT, 2_500)


def test_a_reversal_happens_once(book: Book) -> None:
    """The same key finds the one that stands; another key is refused."""
    paid = ledger.post(payment(book.bill, 2_500))
    first = ledger.reverse(paid.id, key="undo", reference="payment:P-1", effective_on=DAY)
    assert ledger.reverse(paid.id, key="undo", reference="payment:P-1", effective_on=DAY) == (first.id, False)
    with pytest.raises(ledger.AlreadyReversed), transaction.atomic():
        ledger.reverse(paid.id, key="again", reference="payment:P-1", effective_on=DAY)
    assert balance(book.bill) == 10_000


def test_a_reversal_may_be_undone(book: Book) -> None:
    """A dispute that is won: the withdrawal reversed."""
    paid = ledger.post(payment(book.bill, 2_500))
    undone = ledger.reverse(paid.id, key="undo", reference="payment:P-1", effective_on=DAY)
    ledger.reverse(undone.id, key="redo", reference="payment:P-1", effective_on=DAY)
    assert balance(book.bill) == 7_500


def test_there_is_no_reversal_of_nothing(db: None) -> None:
    """It says so."""
    with pytest.raises(ledger.LedgerError, match="no transfer 99"):
        ledger.reverse(99, key="undo", reference="x", effective_on=DAY)


def test_a_query_posts_what_it_yields(book: Book) -> None:
    """Batches that never leave the database keep the same rules."""
    query = (
        f"SELECT {book.bill}, {REVENUE}, 10::bigint, 7, 10, date '2026-11-24', 'q' || n, 'bill:T', NULL::bigint"
        " FROM generate_series(1, 3) n"
    )
    assert ledger.post_query(query) == 3
    assert balance(book.bill) == 10_030
    with pytest.raises(ledger.KeyReused):
        ledger.post_query(query)
    with pytest.raises(ledger.MovementNotAllowed):
        ledger.post_query(query.replace("7, 10,", "7, 20,").replace("'q'", "'r'"))
    assert balance(book.bill) == 10_030


def test_a_posting_is_one_statement(book: Book) -> None:
    """What it costs: one round trip."""
    with connection.execute_wrapper(lambda execute, *rest: count.append(1) or execute(*rest)):
        count: list[int] = []
        ledger.post(payment(book.bill, 100))
    assert len(count) == 1
