"""Claims that the plan has not decided yet, as FHIR says it: `queued` and `partial`, and what they become."""

from pathlib import Path

import pytest
from django.utils import timezone

from bills import rechecking
from bills.checking import Flag
from bills.models import Accumulator, Bill, Hold
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
    take_path,
)  # fmt: skip
from tests.bills.test_checking import found
from tests.bills.test_import_corrections import pay, related


@pytest.fixture
def folder(db: None, tmp_path: Path) -> Path:
    """A folder for files, with the member imported."""
    take(tmp_path, patient())
    return tmp_path


def the_bill(id: str = "e1") -> Bill:  # noqa: A002
    """The bill of a claim."""
    bill = claim(id).bill
    assert bill is not None
    return bill


def test_a_claim_in_part_decided_is_open_and_its_bill_is_held_until_it_is_complete(folder: Path) -> None:
    """Not due, counted in no year; complete, it is the same claim and bill, repriced, with time to pay."""
    assert counts(take(folder, eob(outcome="partial"))) == {"new": 1}
    bill = the_bill()
    assert (claim().status, bill.balance_cents, bill.held_since is not None) == ("open", 3000, True)
    assert Hold.objects.standing().get().cause == Hold.Cause.CLAIM_OPEN
    assert found(bill) == [Flag.CLAIM_OPEN]
    assert not Accumulator.objects.exists()
    assert counts(take(folder, owes(eob(outcome="partial"), 35))) == {"changed": 1}
    assert (balance(), the_bill().held_since is not None) == (3500, True)
    assert counts(take(folder, owes(eob(), 25, month=6))) == {"changed": 1}
    assert (claim().status, balance(), the_bill() == bill, the_bill().held_since) == ("active", 2500, True, None)
    assert the_bill().due_on > timezone.localdate()
    assert Accumulator.objects.get().out_of_pocket_cents == 2500
    assert book_holds()


@pytest.mark.parametrize("total", [{}, {"submitted": 200}])
def test_a_claim_that_is_only_received_bills_nothing_and_asks_nobody(folder: Path, total: dict) -> None:
    """`queued`: shown as not decided, whether it has amounts or none; decided, it is billed."""
    assert counts(take(folder, eob(outcome="queued", total=total))) == {"new": 1}
    assert (claim().status, claim().billed_cents, claim().bill) == ("open", 100 * sum(total.values()), None)
    assert (claim().lines.count(), open_reviews()) == (1, [])
    take(folder, later(eob()))
    assert (claim().status, balance(), the_bill().held_since) == ("active", 3000, None)
    assert book_holds()


def test_a_claim_that_is_opened_again_without_a_share_leaves_its_bill_and_what_was_paid(folder: Path) -> None:
    """Worked on anew: what it does not say does not lower the bill; it waits, and is corrected once decided."""
    take(folder, eob())
    pay(the_bill(), 1000)
    take(folder, later(eob(outcome="partial", total={"submitted": 200, "eligible": 150})))
    assert (claim().status, balance(), the_bill().held_since is not None) == ("open", 2000, True)
    take(folder, owes(eob(), 40, month=6))
    assert (claim().status, balance(), the_bill().held_since) == ("active", 3000, None)
    assert book_holds()


def test_a_correction_takes_the_place_of_its_original_once_it_is_decided(folder: Path) -> None:
    """Until then the original and its bill stand, and nothing is billed twice."""
    take(folder, eob("e1"))
    undecided = owes(eob("e2", outcome="partial"), 50) | {"related": related("prior", "CLM-e1")}
    undecided["identifier"] = eob("e1")["identifier"]  # a correction may keep the number
    assert counts(take(folder, undecided)) == {"new": 1}
    assert (claim("e1").status, claim("e2").status, claim("e2").bill, owed_cents()) == ("active", "open", None, 3000)
    assert counts(take(folder, later(undecided, month=6, disposition="still"))) == {"changed": 1}
    assert (claim("e2").bill, owed_cents()) == (None, 3000)
    take(folder, later(undecided, month=7, outcome="complete"))
    assert (claim("e1").status, claim("e2").status, claim("e2").replaces) == ("replaced", "active", claim("e1"))
    assert (balance("e2"), Bill.objects.count(), the_bill("e2").held_since) == (5000, 1, None)
    assert book_holds()


def test_a_decided_correction_waits_for_an_original_that_has_not_come(folder: Path) -> None:
    """Billed before it, both would be billed."""
    undecided = owes(eob("e2", outcome="queued"), 50) | {"related": related("prior", "CLM-e1")}
    take(folder, undecided)
    assert counts(take(folder, later(undecided, month=6, outcome="complete"))) == {"in_review": 1}
    assert (claim("e2").status, open_reviews(), Bill.objects.count()) == ("open", ["original_unknown"], 0)
    take(folder, eob("e1"))
    assert (claim("e1").status, claim("e2").status, balance("e2")) == ("replaced", "active", 5000)
    assert (open_reviews(), Bill.objects.count()) == ([], 1)
    assert book_holds()


def test_an_open_claim_decided_under_another_id_is_taken_over_or_looked_at(folder: Path) -> None:
    """The same number, member, kind and day under a second id is billed beside it only as its successor."""
    take(folder, eob("e1", outcome="partial"))
    decided = owes(eob("e2"), 50) | {"identifier": eob("e1")["identifier"]}
    assert counts(take(folder, decided)) == {"in_review": 1}
    assert open_reviews() == ["same_claim"]
    take(folder, later(decided, month=6, related=related("prior", "CLM-e1")))
    assert (claim("e1").status, balance("e2"), Bill.objects.count()) == ("replaced", 5000, 1)
    assert (the_bill("e2").held_since, Hold.objects.standing().count()) == (None, 0)
    assert book_holds()


BILLED = (
    "bill_id,member_number,service_date,title,amount,provider,claim_number\n"
    "B1,N-p1,2026-03-05,Visit,90.00,,CLM-e1\n"  # of its number
    "B2,N-p2,2026-03-04,Visit,90.00,LAKE clinic,\n"  # of its service
    "B3,N-p2,2026-03-04,Visit,90.00,Another clinic,\n"
)


@pytest.mark.parametrize("is_billed_first", [True, False])
def test_a_billers_bill_waits_for_the_open_claim_that_it_is_compared_with(folder: Path, is_billed_first: bool) -> None:
    """Whichever came first, and within the import that brings the second; it goes on once the claim is decided."""
    file = folder / "bills.csv"
    file.write_text(BILLED)
    queued = eob("e1", outcome="queued", total={}), eob("e2", "p2", outcome="queued", total={})
    held: list[int] = []

    def look(read: int, total: int) -> None:
        held.append(Bill.objects.filter(held_since__isnull=False).count())

    take(folder, patient("p2"))
    if is_billed_first:
        take_path(file, format="csv")
        take(folder, *queued, progress=look)
    else:
        take(folder, *queued)
        take_path(file, format="csv", progress=look)
    assert held == [2]  # before the look over all that ends an import
    for bill in Bill.objects.all():
        is_of_claim = bill.provider_name != "Another clinic"
        assert (bill.held_since is not None, found(bill)) == (is_of_claim, [Flag.CLAIM_OPEN] * is_of_claim)
    assert rechecking.run(timezone.localdate()).holds == 0
    take(folder, later(owes(queued[0], 90), month=6, outcome="complete"))
    assert list(Hold.objects.standing().values_list("bill__source_id", flat=True)) == ["bill/B2"]
    assert found(the_bill("e1")) == [Flag.BILLED_TWICE]  # now that there are two bills of its number
    file.write_text(BILLED.replace("LAKE clinic,", "LAKE clinic,OWN-1").replace("Visit,90.00,LAKE", "Visit,80.00,LAKE"))
    take_path(file, format="csv")
    assert Hold.objects.standing().count() == 1  # its service is still the claim's
    take(folder, later(queued[1], month=6, status="cancelled"))
    assert not Bill.objects.filter(held_since__isnull=False).exists()
    assert book_holds()


@pytest.mark.parametrize("outcome", ["queued", "partial"])
def test_an_open_claim_that_is_cancelled_is_owed_no_more(folder: Path, outcome: str) -> None:
    take(folder, eob(outcome=outcome))
    take(folder, later(eob(outcome=outcome), status="cancelled"))
    assert (claim().status, owed_cents(), Hold.objects.standing().count()) == ("canceled", 0, 0)
    assert book_holds()
