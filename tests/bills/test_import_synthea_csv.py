"""Synthea's CSV files under shared/data, as a biller would send them: the totals that its SOURCES.md gives."""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Sum

from accounts.households import add_member, open_household
from bills.models import Bill, Claim
from tests.bills.importing import SHARED, book_holds, take_path

FOLDER = SHARED / "synthea-csv"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the sample files are not here: {FOLDER}")


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a file."""
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_files_sum_to_what_the_notes_give() -> None:
    """6 patients, 348 claims, 3956 transactions; charges = payments = 772089.83; one claim still billed."""
    claims, transactions = rows_of("claims.csv"), rows_of("claims_transactions.csv")
    assert (len({row["PATIENTID"] for row in claims}), len(claims), len(transactions)) == (6, 348, 3956)
    charged = sum(Decimal(row["AMOUNT"]) for row in transactions if row["TYPE"] == "CHARGE")
    paid = sum(Decimal(row["PAYMENTS"]) for row in transactions if row["TYPE"] == "PAYMENT")
    assert charged == paid == Decimal("772089.83")
    [billed] = [row for row in claims if row["STATUS1"] == "BILLED"]
    assert (billed["OUTSTANDING1"], billed["OUTSTANDINGP"]) == ("169.10", "42.28")


def test_imported_as_bills_they_leave_the_patients_share_of_the_one_claim_and_hold_it(db: None, tmp_path: Path) -> None:
    """What the insurer has not decided is not due; everything else is claims of nothing owed."""
    claims, transactions = rows_of("claims.csv"), rows_of("claims_transactions.csv")
    charged: dict[str, Decimal] = defaultdict(Decimal)
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for row in transactions:
        if row["TYPE"] == "CHARGE":
            charged[row["CLAIMID"]] += Decimal(row["AMOUNT"])
        elif row["TYPE"] == "PAYMENT":
            paid[row["CLAIMID"]] += Decimal(row["PAYMENTS"])
    numbers = {}
    for place, patient in enumerate(rows_of("patients.csv")):
        numbers[patient["Id"]] = f"S-{place}"
        add_member(
            open_household(number=f"S-{place:04d}", city="", state="", zip=""), number=f"S-{place}",
            first_name=patient["FIRST"], last_name=patient["LAST"], birth_date=patient["BIRTHDATE"],  # type: ignore[arg-type]
            relationship="self", is_primary_holder=True, user=None,
        )  # fmt: skip
    file = tmp_path / "bills.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(
            ["bill_id", "member_number", "service_date", "title", "amount", "billed", "plan_paid", "status"]
        )
        for row in claims:
            status = "pending" if row["STATUS1"] == "BILLED" else "active"
            writer.writerow([
                row["Id"], numbers[row["PATIENTID"]], row["SERVICEDATE"][:10], "Visit", row["OUTSTANDINGP"] or "0",
                charged[row["Id"]], paid[row["Id"]], status,
            ])  # fmt: skip
    batch = take_path(file, format="csv", expect_rows=348, expect_cents=4_228)
    assert (batch.status, batch.new, batch.refused) == ("finished", 348, 0)
    sums = Claim.objects.aggregate(billed=Sum("billed_cents"), paid=Sum("plan_paid_cents"))
    assert sums == {"billed": 77_208_983, "paid": 77_208_983}
    bill = Bill.objects.get()
    assert (bill.balance_cents, bill.held_since is not None) == (4_228, True)
    assert Claim.objects.get(status=Claim.Status.OPEN).bill_id == bill.pk
    assert book_holds()
