"""What the database refuses, asked in raw SQL, past every model (FAULTS A18, A19; STYLE 25)."""

import pytest
from django.db import IntegrityError, connection, transaction

import ledger
from ledger.chart import Code
from tests.ledger.books import CLEARING, DAY, REVENUE, Book, balance, charge, open_book, payment, posting


@pytest.fixture
def book(db: None) -> Book:
    """A household with a bill of $100.00 charged."""
    book = open_book()
    ledger.post(charge(book.bill, 10_000))
    return book


def refused(sql: str, *values: object, by: str) -> None:
    """Run the statement; it must be refused with these words."""
    with pytest.raises(IntegrityError, match=by), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


INSERT = (
    "INSERT INTO ledger_transfer (debit_id, credit_id, amount_cents, owner_id, code, effective_on, key, reference,"
    " reverses_id) VALUES (%s, %s, %s, %s, %s, %s, %s, 'bill:TEST', %s)"
)


OPEN = (
    "INSERT INTO ledger_account (type, owner_id, is_tracked, credits_must_not_exceed_debits,"
    " debits_must_not_exceed_credits, balance_cents, control_id) VALUES ('asset', 7, true, false, false, %s, %s)"
)


def insert_refused(book: Book, *, by: str, **changes: object) -> None:
    """Insert a good payment with these changes; it must be refused."""
    row = {"debit": CLEARING, "credit": book.bill, "cents": 100, "owner": 7, "code": 20, "key": "raw", "undoes": None}
    row |= changes
    values = [row["debit"], row["credit"], row["cents"], row["owner"], row["code"], DAY, row["key"], row["undoes"]]
    refused(INSERT, *values, by=by)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_transfer SET amount_cents = 1",
        "UPDATE ledger_transfer SET reference = 'other'",
        "DELETE FROM ledger_transfer",
        "DELETE FROM ledger_transfer WHERE false",
        "TRUNCATE ledger_transfer",
    ],
)
def test_it_refuses_to_change_or_remove_a_transfer(book: Book, sql: str) -> None:
    """FAULTS A18."""
    refused(sql, by="never changed and never deleted")


@pytest.mark.parametrize("setting", ["pgtrigger.ignore"])
def test_no_setting_of_the_session_opens_the_walls(book: Book, setting: str) -> None:
    """FAULTS A18: django-pgtrigger's own triggers could be switched off by anybody who may say SET."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(tgname) FROM pg_trigger WHERE NOT tgisinternal")
        names = cursor.fetchone()[0]
        cursor.execute("SELECT set_config(%s, %s, true)", [setting, "{" + ",".join(names) + "}"])
    refused("UPDATE ledger_transfer SET amount_cents = 1", by="never changed")
    refused("UPDATE ledger_account SET balance_cents = 1 WHERE id = %s", book.bill, by="by a transfer and by nothing")


def test_it_refuses_to_change_a_balance_but_by_a_transfer(book: Book) -> None:
    """DESIGN section 5."""
    refused("UPDATE ledger_account SET balance_cents = 0 WHERE id = %s", book.bill, by="by a transfer and by nothing")
    assert balance(book.bill) == 10_000


def test_it_refuses_to_open_an_account_with_a_balance(db: None) -> None:
    """DESIGN section 5."""
    for cents in (1, -1):
        refused(OPEN, cents, None, by="opens at zero")


@pytest.mark.parametrize(
    "change",
    [
        "type = 'revenue'", "code = 'mine'", "owner_id = 8", "control_id = NULL", "is_control = true", "id = 999999",
        "is_tracked = false", "credits_must_not_exceed_debits = false", "debits_must_not_exceed_credits = true",
    ],
)  # fmt: skip
def test_it_refuses_to_change_the_terms_of_an_account(book: Book, change: str) -> None:
    """DESIGN section 5."""
    refused(f"UPDATE ledger_account SET {change} WHERE id = %s", book.bill, by="terms of an account are fixed")


def test_it_lets_a_bill_mature_on_another_day(book: Book) -> None:
    """The due date is not one of the terms."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET matures_on = '2027-01-01' WHERE id = %s", [book.bill])
        assert cursor.rowcount == 1


@pytest.mark.parametrize("sql", ["DELETE FROM ledger_account WHERE id = 3", "TRUNCATE ledger_account CASCADE"])
def test_it_refuses_to_delete_an_account(book: Book, sql: str) -> None:
    """DESIGN section 5."""
    refused(sql, by="never deleted")


@pytest.mark.parametrize("cents", [0, -1, -10_000])
def test_it_refuses_an_amount_of_nothing_or_less(book: Book, cents: int) -> None:
    """FAULTS A19."""
    insert_refused(book, cents=cents, by="ledger_transfer_amount_positive")


def test_it_refuses_a_transfer_from_an_account_to_itself(book: Book) -> None:
    """FAULTS A19."""
    insert_refused(book, debit=book.bill, by="ledger_transfer_two_accounts")


def test_it_refuses_a_payment_beyond_what_is_owed(book: Book) -> None:
    """FAULTS A19: to the cent."""
    insert_refused(book, cents=10_001, by="ledger_account_credits_within_debits")
    ledger.post(payment(book.bill, 10_000))
    insert_refused(book, cents=1, by="ledger_account_credits_within_debits")


def test_it_refuses_to_spend_credit_that_is_not_there(book: Book) -> None:
    """FAULTS A19."""
    insert_refused(book, debit=book.credit, code=22, by="ledger_account_debits_within_credits")


def test_it_refuses_a_second_reversal(book: Book) -> None:
    """DESIGN section 5."""
    paid = ledger.post(payment(book.bill, 100))
    ledger.reverse(paid.id, key="undo", reference="bill:TEST", effective_on=DAY)
    insert_refused(book, debit=book.bill, credit=CLEARING, undoes=paid.id, by="ledger_transfer_reversed_once")


@pytest.mark.parametrize("change", [{"cents": 99}, {"debit": CLEARING, "credit": 0}, {"undoes": 99_999_999}])
def test_it_refuses_a_reversal_that_is_not_the_whole_the_other_way_round(book: Book, change: dict[str, int]) -> None:
    """DESIGN section 5: where one row is undone by another, they mirror each other."""
    paid = ledger.post(payment(book.bill, 100))
    row = {"debit": book.bill, "credit": CLEARING, "undoes": paid.id} | change
    row["credit"] = row["credit"] or book.bill
    insert_refused(book, **row, by="whole of its transfer")


def test_it_refuses_an_account_that_does_not_exist(book: Book) -> None:
    """There is no foreign key: the wall looks."""
    insert_refused(book, debit=99_999_999, by="does not exist")
    insert_refused(book, credit=99_999_999, by="does not exist")


def test_it_refuses_the_account_of_another_household(book: Book) -> None:
    """Wrong-member postings: 0 (FAULTS, figures)."""
    stranger = open_book(owner_id=8)
    insert_refused(book, credit=stranger.bill, by="another owner")
    insert_refused(book, debit=stranger.bill, credit=REVENUE, by="another owner")


def test_it_refuses_a_transfer_to_a_control_account(book: Book) -> None:
    """It holds the sum of those below it, and nothing else."""
    insert_refused(book, credit=book.control, by="takes no transfer of its own")


def test_it_refuses_in_a_batch_what_it_refuses_alone(book: Book) -> None:
    """The two paths of the wall agree."""
    stranger = open_book(owner_id=8)
    ledger.post(charge(stranger.bill, 100, owner_id=8))
    wrong = {book.control: "takes no transfer", stranger.bill: "another owner", 99_999_999: "does not exist"}
    for account_id, words in wrong.items():
        with pytest.raises(ledger.LedgerError, match=words):
            ledger.post_many([payment(book.bill, 1, "good"), payment(account_id, 1, "bad")])
    with pytest.raises(ledger.LimitExceeded):
        ledger.post_many([payment(book.bill, 6_000, "a"), payment(book.bill, 6_000, "b")])
    assert balance(book.bill) == 10_000


@pytest.mark.parametrize("control", ["stranger", "receivable", "nowhere"])
def test_it_refuses_an_account_below_what_is_no_control_of_its_own(book: Book, control: str) -> None:
    """A control sums the accounts of one household."""
    ids = {"stranger": open_book(owner_id=8).control, "receivable": book.bill, "nowhere": 99_999_999}
    refused(OPEN, 0, ids[control], by="rolls up into a control account of its own")


def test_a_control_account_sums_those_below_it(book: Book) -> None:
    """Alone and in batches, also where both sides are below it."""
    ledger.post(charge(book.other_bill, 500, "other"))
    ledger.post_many([payment(book.bill, 1_000, "a"), payment(book.other_bill, 100, "b")])
    assert balance(book.control) == 9_400 == balance(book.bill) + balance(book.other_bill)
    ledger.post(posting(book.bill, book.credit, 50, Code.CREDIT_RAISED, "credit"))
    assert balance(book.control) == 9_450
    assert balance(book.credit) == -50
