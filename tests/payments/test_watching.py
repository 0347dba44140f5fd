"""The daily check of the book: what is broken becomes work for staff."""

from collections.abc import Callable

from django.db import connection

from activity.models import WorkItem
from bills.models import Bill
from payments import checkout, tasks
from payments.models import Payment
from tests.payments.paying import balance

Draft = Callable[..., Payment]


def test_a_book_that_holds_makes_no_work(draft: Draft, bill: Bill) -> None:
    checkout.confirm(draft(5_000))
    tasks.check_ledger()
    assert WorkItem.objects.count() == 0


def test_a_broken_rule_makes_one_work_item_however_often_the_day_is_checked(draft: Draft, bill: Bill) -> None:
    """FAULTS M2, M10: each rule by its name, and what breaks it."""
    checkout.confirm(draft(5_000))
    with connection.cursor() as cursor:  # past the walls, as only a superuser can
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE ledger_account SET balance_cents = balance_cents + 1 WHERE id = %s", [bill.receivable_id]
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    assert balance(bill) == 13_501
    tasks.check_ledger()
    tasks.check_ledger()
    found = {item.subject: item for item in WorkItem.objects.filter(kind="ledger")}
    assert set(found) == {"ledger:balances", "ledger:controls", "ledger:trial balance"}
    assert WorkItem.objects.count() == 3
    assert "13501" in found["ledger:balances"].detail
