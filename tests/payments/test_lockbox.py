"""Paper checks, by hand and from the lockbox: to the bills they name, else to credit, else to suspense; each once."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Delegate
from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from bills import credit
from bills.models import Bill
from ledger.chart import SystemAccount
from payments import checks, history, lockbox, lockbox_files, refund_rules
from payments.history import Wanted
from payments.lockbox import CheckError, SeenBefore, Slip
from payments.lockbox_files import FileRefused
from payments.models import Check, LockboxFile, Payment
from tests.conftest import Cast
from tests.payments.paying import balance, make_bill, trial_balance
from tests.payments.test_reconciling import held

HEADER = "record,date,batch,check_number,reference,amount"


def slip(reference: str, cents: int = 5_000, number: str = "1234", **more: object) -> Slip:
    """A check that came today."""
    return Slip(number=number, amount_cents=cents, received_on=timezone.localdate(), reference=reference, **more)


def take(cast: Cast, wanted: Slip) -> Check:
    """Record a check."""
    return lockbox.record_check(wanted, by=cast.dana, reason="Opened by hand")


def owed_to(cast: Cast) -> int:
    """The household's credit, US cents."""
    cast.household.credit.refresh_from_db()
    return -cast.household.credit.balance_cents


def file_of(*rows: tuple[str, str, str], total: str | None = None, count: int | None = None) -> bytes:
    """A lockbox file of (check number, reference, amount)."""
    today = timezone.localdate()
    lines = [f"check,{today},B1,{number},{reference},{amount}" for number, reference, amount in rows]
    cents = sum(round(float(amount) * 100) for _number, _reference, amount in rows) if total is None else 0
    total = f"{cents // 100}.{cents % 100:02d}" if total is None else total
    lines.append(f"total,,,{len(rows) if count is None else count},,{total}")
    return "\n".join([HEADER, *lines]).encode()


def holds() -> bool:
    """Whether every rule of the book holds."""
    return checks.run() == [] and trial_balance() == 0


def test_a_check_pays_the_bill_it_names_and_is_in_the_history(cast: Cast) -> None:
    bill = make_bill(cast.maya, 18_500)
    check = take(cast, slip(bill.number))
    assert (check.status, balance(bill)) == ("posted", 13_500)
    [row] = history.page(scope_of(cast.alice.user), Wanted()).rows
    assert (row.method, row.state.name, row.lines[0].number) == ("Check 1234", "Posted", bill.number)
    assert history.page(scope_of(cast.charlie.user), Wanted()).rows == []
    assert holds()


def test_what_its_bills_do_not_owe_is_household_credit(cast: Cast) -> None:
    first, second = make_bill(cast.maya, 1_000), make_bill(cast.bob, 2_000)
    take(cast, slip(f"{first.number}, {second.number}", 5_000))
    assert (balance(first), balance(second), owed_to(cast)) == (0, 0, 2_000)
    assert holds()


def test_a_check_that_names_a_household_pays_nothing_unasked(cast: Cast) -> None:
    """RULES section 11: medical money pays no premium without consent. The holder sees it as credit."""
    bill = make_bill(cast.maya, 18_500)
    take(cast, slip(cast.household.number))
    assert (balance(bill), owed_to(cast)) == (18_500, 5_000)
    [row] = history.page(scope_of(cast.alice.user), Wanted()).rows
    assert [line.title for line in row.lines] == ["Household credit"]
    assert history.page(scope_of(cast.bob.user), Wanted()).rows == []
    assert holds()


def test_a_check_that_names_nothing_known_is_in_suspense_until_it_is_matched(cast: Cast) -> None:
    bill = make_bill(cast.maya, 18_500)
    check = take(cast, slip("ZZZZ-ZZZZ"))
    assert (check.status, held(SystemAccount.SUSPENSE), held(SystemAccount.LOCKBOX)) == ("unmatched", -5_000, 5_000)
    assert WorkItem.objects.filter(kind="lockbox", done_at__isnull=True).count() == 1
    assert holds()
    with pytest.raises(CheckError):
        lockbox.match(check, by=cast.dana, reason="Read its image", reference="YYYY-YYYY")
    lockbox.match(check, by=cast.dana, reason="Read its image", reference=bill.number)
    assert (balance(bill), held(SystemAccount.SUSPENSE), held(SystemAccount.LOCKBOX)) == (13_500, 0, 5_000)
    assert not WorkItem.objects.filter(done_at__isnull=True).exists()
    with pytest.raises(CheckError):
        lockbox.match(check, by=cast.dana, reason="Read its image", reference=bill.number)
    assert holds()


def test_the_same_check_is_recorded_once(cast: Cast) -> None:
    bill = make_bill(cast.maya, 18_500)
    take(cast, slip(bill.number))
    with pytest.raises(SeenBefore):
        take(cast, slip(f" {bill.number.lower()} "))
    assert balance(bill) == 13_500


def test_a_returned_check_is_owed_again_and_may_come_again(cast: Cast) -> None:
    bill = make_bill(cast.maya, 3_000)
    check = take(cast, slip(bill.number))
    lockbox.take_back(check, by=cast.dana, reason="No funds")
    assert (balance(bill), owed_to(cast), held(SystemAccount.LOCKBOX)) == (3_000, 0, 0)
    assert Payment.objects.get().status == "returned"
    with pytest.raises(CheckError):
        lockbox.take_back(check, by=cast.dana, reason="No funds")
    assert holds()
    take(cast, slip(bill.number))
    assert balance(bill) == 0
    assert holds()


def test_a_returned_check_whose_credit_was_spent_is_owed_where_it_was_spent(cast: Cast) -> None:
    bill = make_bill(cast.maya, 18_500)
    check = take(cast, slip(cast.household.number))
    assert credit.apply(cast.household, on=timezone.localdate(), actor="system") == 5_000
    lockbox.take_back(check, by=cast.dana, reason="No funds")
    assert (balance(bill), owed_to(cast)) == (18_500, 0)
    assert holds()


def test_a_paper_check_is_not_refunded_at_stripe(cast: Cast) -> None:
    bill = make_bill(cast.maya, 18_500)
    take(cast, slip(bill.number))
    assert refund_rules.refundable_cents(Payment.objects.get()) == 0


def test_nobody_records_matches_or_takes_back_a_check_of_their_own_household(cast: Cast) -> None:
    """FAULTS F20's neighbour: not as its member, and not as a delegate of one of its members."""
    bill, stray = make_bill(cast.maya, 18_500), take(cast, slip("WHAT-ISTHIS", number="9"))
    Delegate.objects.create(member=cast.maya, user=cast.charlie.user, grant="pay")
    posted = take(cast, slip(bill.number, number="8"))
    for user in (cast.alice.user, cast.charlie.user):
        with pytest.raises(CheckError, match="own household"):
            lockbox.record_check(slip(bill.number), by=user, reason="Opened by hand")
        with pytest.raises(CheckError, match="own household"):
            lockbox.match(stray, by=user, reason="Read at the bank", reference=cast.household.number)
        with pytest.raises(CheckError, match="own household"):
            lockbox.take_back(posted, by=user, reason="No funds")
    assert [check.status for check in Check.objects.order_by("pk")] == ["unmatched", "posted"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": ""}, {"number": "12/34"}, {"number": "١٢"}, {"cents": 0}, {"reference": "<script>"},
        {"reference": "x" * 61},
    ],
)  # fmt: skip
def test_what_no_check_can_be_is_refused(cast: Cast, wrong: dict[str, object]) -> None:
    wanted = slip(str(wrong.get("reference", "")), int(wrong.get("cents", 100)), str(wrong.get("number", "1")))  # type: ignore[call-overload]
    with pytest.raises(CheckError):
        take(cast, wanted)


def test_a_check_of_the_future_is_refused(cast: Cast) -> None:
    late = Slip(number="1", amount_cents=1, received_on=timezone.localdate() + dt.timedelta(days=1), reference="")
    with pytest.raises(CheckError):
        take(cast, late)


def test_a_file_is_taken_once_and_its_bad_rows_are_named(cast: Cast) -> None:
    """FAULTS J01, J04: the good rows are kept; the same file, or the same checks in another order, change nothing."""
    bill = make_bill(cast.maya, 18_500)
    rows = (("1", bill.number, "10.00"), ("2/2", bill.number, "20.00"), ("3", "", "5.00"))
    found = lockbox_files.take(file_of(*rows), name="../../lock\x00box.csv", by=cast.dana)
    assert (found.status, found.checks_read, found.total_cents, found.name) == ("finished", 3, 3_500, "lockbox.csv")
    assert [(each["line"], each["rule"]) for each in found.rejected] == [(3, "refused")]
    assert (balance(bill), Check.objects.count()) == (17_500, 2)
    lockbox_files.take(file_of(*rows), name="renamed.csv", by=cast.dana)
    again = lockbox_files.take(file_of(*rows[::-1]), name="reordered.csv", by=cast.dana)
    assert {each["rule"] for each in again.rejected} == {"seen_before", "refused"}
    assert (balance(bill), Check.objects.count()) == (17_500, 2)
    assert holds()


def test_a_file_that_was_broken_off_is_taken_up_where_it_was(cast: Cast) -> None:
    """FAULTS J02."""
    bill = make_bill(cast.maya, 18_500)
    content = file_of(("1", bill.number, "10.00"), ("2", bill.number, "20.00"))
    found = lockbox_files.take(content, name="a.csv", by=cast.dana)
    check = Check.objects.get(number="2")
    check.payments.clear()
    LockboxFile.objects.filter(pk=found.pk).update(status="taking")
    again = lockbox_files.take(content, name="a.csv", by=cast.dana)
    assert (again.pk, again.status, again.rejected, balance(bill)) == (found.pk, "finished", [], 15_500)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfec\x00h\x00", HEADER.encode(), b"a,b\n", b"date,record\n",
        file_of(("1", "", "10.00"), total="9.99"), file_of(("1", "", "10.00"), total="10"[:1]),
        file_of(("1", "", "10.00"), count=2), file_of(("1", "", "10.00"))[:-20],
        file_of(("1", "", "10.00")).replace(b"check,", b"check,x,"), file_of(("1", "", "10.00")) + b'\n"',
        file_of(("1", "", "10.00")) + b"\x00", file_of(("1", "", "10.00")) + b"\ncheck,\xe9,,,,",
        *(file_of(("1", "", bad), total="10.00") for bad in ("-10.00", "(10.00)", "10.001", "$10.00", "", "1e1", "0")),
    ],
)  # fmt: skip
def test_a_file_that_does_not_add_up_is_refused_whole(cast: Cast, content: bytes) -> None:
    """FAULTS J03, J10, J14."""
    with pytest.raises(FileRefused):
        lockbox_files.take(content, name="a.csv", by=cast.dana)
    assert (Check.objects.count(), LockboxFile.objects.count()) == (0, 0)
    assert not Event.objects.filter(kind="check.recorded").exists()


def test_a_bom_and_windows_line_ends_are_no_fault(cast: Cast) -> None:
    """FAULTS J14."""
    bill: Bill = make_bill(cast.maya, 18_500)
    content = b"\xef\xbb\xbf" + file_of(("1", bill.number, "10.00")).replace(b"\n", b"\r\n")
    assert lockbox_files.take(content, name="a.csv", by=cast.dana).rejected == []
    assert balance(bill) == 17_500
