"""Plain R4: an Invoice is a bill; an Account and a ChargeItem by themselves ask nobody for money."""

from pathlib import Path

import pytest

from bills.models import Accumulator, Bill, Claim
from tests.bills.importing import book_holds, counts, later, open_reviews, owed_cents, patient, rules, take


def money(dollars: object, currency: str = "USD") -> dict:
    """An amount."""
    return {"value": dollars, "currency": currency}


def line(dollars: float, described: str = "X-ray") -> dict:
    """A line with one price."""
    return {
        "chargeItemCodeableConcept": {"text": described},
        "priceComponent": [{"type": "base", "amount": money(dollars)}],
    }


def invoice(**changes: object) -> dict:
    """An issued Invoice of 48.00."""
    return {
        "resourceType": "Invoice",
        "id": "i1",
        "meta": {"lastUpdated": "2026-04-01T00:00:00Z"},
        "identifier": [{"value": "INV-654321"}],
        "status": "issued",
        "subject": {"reference": "Patient/p1"},
        "date": "2026-03-04",
        "issuer": {"display": "Lake Clinic"},
        "totalNet": money(40),
        "totalGross": money(48),
    } | changes


@pytest.fixture
def folder(db: None, tmp_path: Path) -> Path:
    """A folder for files, with the member imported."""
    take(tmp_path, patient())
    return tmp_path


def test_an_invoice_becomes_a_bill_of_its_gross_total(folder: Path) -> None:
    """And counts towards no limit of the year: it is no claim."""
    take(folder, invoice(lineItem=[line(30), line(18, "Cast")]))
    bill = Bill.objects.get()
    assert (bill.amount_cents, bill.provider_name, bill.title) == (4800, "Lake Clinic", "Medical services")
    assert list(bill.lines.values_list("description", "amount_cents")) == [("X-ray", 3000), ("Cast", 1800)]
    assert Claim.objects.get().kind == "invoice"
    assert not Accumulator.objects.exists()
    assert counts(take(folder, invoice(lineItem=[line(30), line(18, "Cast")]))) == {"same": 1}
    assert book_holds()


def test_a_changed_invoice_corrects_its_bill_and_a_cancelled_one_voids_it(folder: Path) -> None:
    """By transfers, as for claims."""
    take(folder, invoice())
    take(folder, later(invoice(totalGross=money(50)), 5))
    assert owed_cents() == 5000
    take(folder, later(invoice(status="cancelled"), 6))
    assert owed_cents() == 0
    assert Bill.objects.get().voided_at is not None
    assert book_holds()


def test_lines_that_do_not_sum_to_the_total_go_to_review(folder: Path) -> None:
    """Nothing is billed."""
    take(folder, invoice(lineItem=[line(30), line(19)]))
    assert (open_reviews(), owed_cents()) == (["lines_disagree"], 0)


def test_drafts_and_paid_invoices_accounts_and_charge_items_are_passed_over(folder: Path) -> None:
    """RULES 8: no estimate is ever a liability; each with its reason."""
    charge = {"resourceType": "ChargeItem", "id": "x", "status": "billable", "priceOverride": money(40)}
    account = {"resourceType": "Account", "id": "a", "status": "active", "subject": [{"reference": "Patient/p1"}]}
    batch = take(folder, invoice(status="draft"), invoice(id="i2", status="balanced"), charge, account)
    assert (counts(batch), owed_cents()) == ({}, 0)
    assert "ChargeItem: it is billed by its invoice" in batch.message


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"totalGross": money(48, "EUR")}, "currency"),
        ({"subject": {}}, "patient_missing"),
        ({"date": "soon"}, "service_date"),
        ({"status": "paid?"}, "status"),
    ],
)
def test_an_invoice_that_lacks_what_a_bill_needs_is_refused(folder: Path, changes: dict, rule: str) -> None:
    """With its rule."""
    assert rules(take(folder, invoice(**changes))) == [rule]
