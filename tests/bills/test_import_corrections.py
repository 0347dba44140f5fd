"""Claims that their source changes, cancels or replaces: the book follows by transfers, whatever the order."""

import datetime as dt
from pathlib import Path

import pytest

import ledger
from bills import issuing
from bills.models import Accumulator, Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.models import Transfer
from ledger.opening import system_id
from tests.bills.importing import (
    balance,
    book_holds,
    claim,
    counts,
    eob,
    later,
    open_reviews,
    owed_cents,
    owes,
    patient,
    take,
)  # fmt: skip


@pytest.fixture
def folder(db: None, tmp_path: Path) -> Path:
    """A folder for files, with the member imported."""
    take(tmp_path, patient())
    return tmp_path


def pay(bill: Bill, cents: int) -> None:
    """A payment that has succeeded."""
    ledger.post(
        Posting(
            debit_id=system_id(SystemAccount.STRIPE_CLEARING), credit_id=bill.receivable_id, amount_cents=cents,
            code=Code.PAYMENT, key=f"pay:{bill.pk}:{cents}", reference=f"bill:{bill.number}",
            effective_on=dt.date(2026, 5, 1), owner_id=bill.household_id,
        )
    )  # fmt: skip


def test_a_changed_record_is_an_adjustment_and_never_an_edit(folder: Path) -> None:
    """The bill keeps what it was issued for; the difference is a transfer of its own."""
    take(folder, eob())
    assert counts(take(folder, owes(eob(), 45))) == {"changed": 1}
    bill = claim().bill
    assert bill is not None
    assert (bill.amount_cents, bill.balance_cents, claim().member_owes_cents) == (3000, 4500, 4500)
    assert Transfer.objects.filter(code=Code.BILL_RAISED).count() == 1
    take(folder, owes(eob(), 10, month=6))
    assert balance() == 1000
    assert Accumulator.objects.get().out_of_pocket_cents == 1000
    assert book_holds()


def test_a_record_that_goes_back_and_forth_is_corrected_at_every_step(folder: Path) -> None:
    """A, B, A, B: the second B is not taken for a repeat of the first."""
    take(folder, eob())
    for month, dollars in enumerate((45, 30, 45, 30, 45), 5):
        take(folder, owes(eob(), dollars, month=month))
    assert balance() == 4500
    assert book_holds()


def test_a_correction_below_what_was_paid_becomes_household_credit(folder: Path) -> None:
    """Paid 30.00, and then only 10.00 is owed: 20.00 stand to the household's credit."""
    take(folder, eob())
    bill = claim().bill
    assert bill is not None
    pay(bill, 3000)
    take(folder, owes(eob(), 10))
    assert balance() == 0
    assert bill.household.credit.balance_cents == -2000
    assert book_holds()


def test_an_older_version_never_overwrites_a_newer_one(folder: Path) -> None:
    """J06: files may come in any order."""
    take(folder, owes(eob(), 45, month=6))
    older = take(folder, owes(eob(), 30, month=5))
    assert (counts(older), balance()) == ({}, 4500)
    assert "older than the one that stands" in older.message


def test_seeing_the_same_content_later_keeps_what_lies_between_out(folder: Path) -> None:
    """J06: content A of April, again in June; B of May comes last and is older."""
    take(folder, eob())
    take(folder, later(eob(), month=6))
    take(folder, owes(eob(), 45, month=5))
    assert balance() == 3000


def test_a_cancelled_claim_takes_its_bill_with_it(folder: Path) -> None:
    """Status cancelled: the bill is voided by transfers, what was paid becomes credit, the year counts nothing."""
    take(folder, eob())
    bill = claim().bill
    assert bill is not None
    pay(bill, 1200)
    take(folder, later(eob(), status="cancelled"))
    bill.refresh_from_db()
    assert (claim().status, bill.voided_at is not None, balance()) == ("canceled", True, 0)
    assert bill.household.credit.balance_cents == -1200
    assert Accumulator.objects.get().out_of_pocket_cents == 0
    assert book_holds()


def test_a_cancellation_that_comes_before_its_original_still_counts(folder: Path) -> None:
    """J05: the original that follows, older or undated, is not billed."""
    take(folder, later(eob(), status="cancelled"))
    take(folder, eob())
    undated = eob()
    del undated["meta"]
    take(folder, undated)
    assert claim().status == "canceled"
    assert not Bill.objects.exists()


def test_a_cancelled_claim_that_becomes_active_again_gets_a_new_bill(folder: Path) -> None:
    """The voided bill stays void."""
    take(folder, eob())
    take(folder, later(eob(), status="cancelled"))
    take(folder, later(eob(), month=6))
    assert (claim().status, balance()) == ("active", 3000)
    assert sorted(Bill.objects.values_list("source_id", flat=True)) == [
        "ExplanationOfBenefit/e1", "ExplanationOfBenefit/e1#2",
    ]  # fmt: skip
    assert book_holds()


def related(relationship: str, number: str) -> list[dict]:
    """A relation to another claim, by its number, as CARIN writes it."""
    return [{"relationship": {"coding": [{"code": relationship}]}, "reference": {"value": number}}]


@pytest.mark.parametrize("by", ["number", "reference"])
def test_a_replacing_claim_takes_over_the_bill_and_what_was_paid_on_it(folder: Path, by: str) -> None:
    """`related: prior`: the old claim is replaced, its bill corrected by the difference, its payment kept."""
    take(folder, eob("e1"))
    bill = claim("e1").bill
    assert bill is not None
    pay(bill, 2000)
    relation = related("prior", "CLM-e1")
    if by == "reference":
        relation = [{"relationship": {"coding": [{"code": "prior"}]}, "claim": {"reference": "Claim/e1"}}]
    assert counts(take(folder, owes(eob("e2"), 50) | {"related": relation})) == {"new": 1}
    assert (claim("e1").status, claim("e2").status) == ("replaced", "active")
    assert claim("e2").replaces == claim("e1")
    assert claim("e2").bill == bill
    assert balance("e2") == 3000
    assert Bill.objects.count() == 1
    assert Accumulator.objects.get().out_of_pocket_cents == 5000
    assert counts(take(folder, eob("e1"), owes(eob("e2"), 50) | {"related": relation})) == {"same": 2}
    assert book_holds()


def test_a_correction_before_its_original_is_parked_and_applied_when_that_comes(folder: Path) -> None:
    """J05: in another file, or later in the same."""
    correction = owes(eob("e2"), 50) | {"related": related("prior", "CLM-e1")}
    assert counts(take(folder, correction)) == {"in_review": 1}
    assert open_reviews() == ["original_unknown"]
    assert not Bill.objects.exists()
    batch = take(folder, eob("e1"))
    assert "1 records that had waited for another were taken" in batch.message
    assert (claim("e1").status, balance("e2"), Bill.objects.count()) == ("replaced", 5000, 1)
    assert open_reviews() == []
    assert book_holds()


def test_a_chain_of_corrections_in_the_wrong_order_ends_as_in_the_right_one(folder: Path) -> None:
    """J05: the third version first."""
    third = owes(eob("e3"), 70) | {"related": related("prior", "CLM-e2")}
    second = owes(eob("e2"), 50) | {"related": related("prior", "CLM-e1")}
    batch = take(folder, third, second, eob("e1"))
    assert counts(batch) == {"new": 3}
    assert [claim(id).status for id in ("e1", "e2", "e3")] == ["replaced", "replaced", "active"]
    assert (owed_cents(), Bill.objects.count()) == (7000, 1)
    assert book_holds()


def test_a_claim_that_says_it_was_replaced_is_not_billed(folder: Path) -> None:
    """`related: replacedby`: whatever the order of the two, one bill remains."""
    first = later(eob("e1"), related=related("replacedby", "CLM-e2"))
    second = owes(eob("e2"), 50) | {"related": related("prior", "CLM-e1")}
    take(folder, eob("e1"))
    take(folder, first, second)
    assert (claim("e1").status, owed_cents()) == ("replaced", 5000)
    take(folder, later(first, month=6, disposition="again"))
    assert (claim("e1").status, owed_cents()) == ("replaced", 5000)
    assert book_holds()


def test_a_claim_that_was_replaced_is_never_billed_again(folder: Path) -> None:
    """A late change of the old claim, which does not know that it was replaced, moves no money."""
    take(folder, eob("e1"))
    take(folder, owes(eob("e2"), 50) | {"related": related("prior", "CLM-e1")})
    take(folder, owes(eob("e1"), 60, month=7))
    assert (claim("e1").status, claim("e1").member_owes_cents, owed_cents()) == ("replaced", 6000, 5000)
    assert Accumulator.objects.get().out_of_pocket_cents == 5000
    assert book_holds()


def test_a_claim_does_not_raise_a_bill_again_that_staff_have_lowered(folder: Path) -> None:
    """Neither its next version nor one that replaces it; lower than staff found, it is followed."""
    take(folder, eob())
    bill = claim().bill
    assert bill is not None
    issuing.correct_by_hand(bill, to_cents=1000, draft_key="1", on=dt.date(2026, 5, 1), reason="wrong", actor="staff")
    take(folder, owes(eob(), 45))
    correction = owes(eob("e2"), 50) | {"related": related("prior", "CLM-e1")}
    take(folder, correction)
    assert (open_reviews(), balance(), claim().member_owes_cents) == (["bill_corrected", "bill_corrected"], 1000, 3000)
    take(folder, owes(eob(), 8, month=7))
    assert balance() == 800
    assert book_holds()
