"""Bills as CSV: documented columns, strict values, whole files refused where their totals are wrong."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from bills.imports import csv_bills
from bills.models import Bill, Claim, ImportBatch
from tests.bills.importing import book_holds, counts, open_reviews, owed_cents, rules, take_path
from tests.conftest import Cast

HEADER = "bill_id,member_number,service_date,title,amount"
ROW = "B1,M-MAYA,2026-03-04,Office visit,120.00"


@pytest.fixture
def folder(cast: Cast, tmp_path: Path) -> Path:
    """A folder for files, and the cast to bill."""
    return tmp_path


def take(folder: Path, *lines: str, encoding: str = "utf-8", **options: object) -> ImportBatch:
    """Import lines as a file."""
    path = folder / f"bills{len(list(folder.iterdir()))}.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding) + b"\r\n")
    return take_path(path, "csv", **options)


def test_a_row_becomes_a_bill(folder: Path, cast: Cast) -> None:
    """With every column that is given."""
    header = f"{HEADER},provider,issued_date,due_date,claim_number,claim_type,billed,allowed,plan_paid,deductible,copay"
    row = f'{ROW},"Lake, Clinic",2026-03-20,2026-04-20,C-77,professional,300.00,200.00,80.00,"100.00",20.00'
    assert counts(take(folder, header, row)) == {"new": 1}
    bill = Bill.objects.get()
    assert (bill.member, bill.household, bill.amount_cents) == (cast.maya, cast.household, 12000)
    assert (bill.provider_name, str(bill.issued_on), str(bill.due_on)) == ("Lake, Clinic", "2026-03-20", "2026-04-20")
    claim = Claim.objects.get()
    assert (claim.number, claim.kind, claim.billed_cents, claim.deductible_cents) == (
        "C-77",
        "professional",
        30000,
        10000,
    )
    assert book_holds()


def test_columns_are_found_by_name_in_any_order(folder: Path) -> None:
    """J14: and a byte-order mark does no harm."""
    take(
        folder,
        "amount,title,bill_id,service_date,member_number",
        "120.00,Visit,B1,2026-03-04,M-BOB",
        encoding="utf-8-sig",
    )
    assert Bill.objects.get().member.number == "M-BOB"


def test_a_file_again_changes_nothing_and_a_changed_row_corrects_its_bill(folder: Path) -> None:
    """J01; and a cancelled row voids it."""
    take(folder, HEADER, ROW)
    assert counts(take(folder, HEADER, ROW)) == {"same": 1}
    assert counts(take(folder, HEADER, ROW.replace("120.00", "95.50"))) == {"changed": 1}
    assert owed_cents() == 9550
    take(folder, HEADER + ",status", ROW + ",cancelled")
    assert owed_cents() == 0
    assert book_holds()


def test_an_older_row_never_overwrites_a_newer_one(folder: Path) -> None:
    """J06: by the column updated_at."""
    take(folder, HEADER + ",updated_at", ROW + ",2026-06-01T00:00:00Z")
    take(folder, HEADER + ",updated_at", ROW.replace("120.00", "1.00") + ",2026-05-01T00:00:00Z")
    assert owed_cents() == 12000


@pytest.mark.parametrize(
    "amount",
    ["", "-", "-12.00", "12.345", "1.2", "(12.00)", "$12.00", "1e3", "NaN", "inf", "12,00", "1,23.00", "99999999999.00",
     "١٢.00", "12.00 USD", "+12.00", "0x10"],
)  # fmt: skip
def test_an_amount_that_is_no_amount_refuses_its_row(folder: Path, amount: str) -> None:
    """J10: line number and column are named, and the other row is taken."""
    bad = ROW.replace("120.00", f'"{amount}"').replace("B1", "B0")
    batch = take(folder, HEADER, bad, ROW)
    assert counts(batch) == {"new": 1, "refused": 1}
    assert list(batch.rejects.values_list("line", "field")) == [(2, "amount")]


@pytest.mark.parametrize(
    ("row", "rule", "field"),
    [
        ("B1,NOBODY,2026-03-04,Visit,1.00", "member_unknown", "member_number"),
        ("B1,M-MAYA,03/04/2026,Visit,1.00", "date", "service_date"),
        ("B1,M-MAYA,20260304,Visit,1.00", "date", "service_date"),
        ("B1,M-MAYA,2026-02-30,Visit,1.00", "date", "service_date"),
        ("B1,M-MAYA,2026-03-04,,1.00", "empty", "title"),
        (",M-MAYA,2026-03-04,Visit,1.00", "bill_id", "bill_id"),
        (f"B1,M-MAYA,2026-03-04,{'x' * 201},1.00", "too_long", "title"),
        ("B1,M-MAYA,2026-03-04,Visit", "columns", ""),
        ("B1,M-MAYA,2026-03-04,Visit,1.00,more", "columns", ""),
        ('B1,M-MAYA,2026-03-04,"Vi\r\nsit",1.00', "characters", "title"),
    ],
)
def test_a_bad_row_is_refused_by_line_and_column(folder: Path, row: str, rule: str, field: str) -> None:
    """J04, J14: columns are never shifted."""
    batch = take(folder, HEADER, row, ROW.replace("B1", "B2"))
    assert counts(batch) == {"new": 1, "refused": 1}
    assert list(batch.rejects.values_list("rule", "field")) == [(rule, field)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"{HEADER}\n{ROW}\n".encode("utf-16"), "UTF-16"),
        (f"{HEADER}\n{ROW}\n".replace("Office", "Prévu").encode("latin-1"), "not UTF-8"),
        (f"{HEADER}\n{ROW}\0\n".encode(), "NUL"),
        (f'{HEADER}\n{ROW.replace("Office", chr(34) + "Office")}\n'.encode(), "no sound CSV"),
        (f'{HEADER}\n{ROW.replace("Office visit", chr(34) + "a" + chr(34) + "b")}\n'.encode(), "no sound CSV"),
        (f"{HEADER}\n{ROW.replace('Office', 'x' * 10_000_000)}\n".encode(), "no sound CSV"),
        (f"{HEADER},amount\n{ROW},1.00\n".encode(), "stand twice: amount"),
        (f"{HEADER},sum\n{ROW},1.00\n".encode(), "not known: sum"),
        (f"{HEADER.replace(',', ';')}\n{ROW}\n".encode(), "not known"),
        (f"{HEADER.replace(',amount', '')}\n".encode(), "missing: amount"),
        (",".join(f"c{n}" for n in range(5000)).encode(), "not known"),
        (f"{HEADER}\n".encode(), "no rows"),
        (b"", "empty"),
        (f"{ROW}\n".encode(), "not known"),
    ],
)  # fmt: skip
def test_a_file_that_could_shift_columns_is_refused_whole(folder: Path, content: bytes, reason: str) -> None:
    """J14: with the reason, and before the first row."""
    path = folder / "odd.csv"
    path.write_bytes(content)
    batch = take_path(path, "csv")
    assert batch.status == "refused"
    assert reason in batch.message
    assert not Bill.objects.exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"expect_rows": 3}, "2 rows, and 3 were expected"),
        ({"expect_cents": 24001}, "do not sum to the total"),
    ],
)
def test_wrong_control_totals_refuse_the_whole_file(folder: Path, options: dict, reason: str) -> None:
    """J03: and right ones let it pass."""
    lines = (HEADER, ROW, ROW.replace("B1", "B2"))
    batch = take(folder, *lines, **options)
    assert (batch.status, Bill.objects.count()) == ("refused", 0)
    assert reason in batch.message
    assert counts(take(folder, *lines, expect_rows=2, expect_cents=24000)) == {"new": 2}


def test_a_total_that_cannot_be_summed_is_not_taken_for_right(folder: Path) -> None:
    """J03: one row without a sound amount."""
    batch = take(folder, HEADER, ROW, ROW.replace("120.00", "-1.00"), expect_cents=12000)
    assert batch.status == "refused"
    assert "Line 3 has no sound amount" in batch.message


def test_parts_that_do_not_sum_to_the_amount_go_to_review(folder: Path) -> None:
    """As for claims: a person decides."""
    take(folder, HEADER + ",deductible,coinsurance", ROW + ",100.00,19.00")
    assert (open_reviews(), owed_cents()) == (["liability_disagrees"], 0)


def test_the_documentation_names_every_column() -> None:
    """docs/imports.md is what senders read."""
    documented = (Path(__file__).resolve().parents[2] / "docs" / "imports.md").read_text()
    assert [name for name in csv_bills.COLUMNS if f"`{name}`" not in documented] == []


def test_the_command_takes_control_totals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--expect-rows`, `--expect-total`: exit code 1 with the reason where they are wrong."""
    path = folder / "bills.csv"
    path.write_text(f"{HEADER}\n{ROW}\n")
    with pytest.raises(CommandError):
        call_command("import_bills", str(path), format="csv", expect_total=12001)
    assert "refused whole" in capsys.readouterr().err
    call_command("import_bills", "--format", "csv", "--expect-rows", "1", "--expect-total", "120.00", str(path))
    assert "1 records: 1 new" in capsys.readouterr().out
    assert rules(ImportBatch.objects.latest("pk")) == []
