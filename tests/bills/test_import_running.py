"""Runs: repeated, killed, side by side; the command, the upload, the progress."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, connections

from bills.imports import running, uploads
from bills.models import Accumulator, Bill, Claim, ImportBatch
from tests.bills.importing import book_holds, counts, eob, owed_cents, owes, patient, take, take_path
from tests.conftest import Cast
from tests.data import eobs

ROOT = Path(__file__).resolve().parents[2]


def lines(*resources: dict) -> str:
    """NDJSON."""
    return "\n".join(map(json.dumps, resources)) + "\n"


def test_the_same_content_under_another_name_is_reported_and_has_no_effect(db: None, tmp_path: Path) -> None:
    """J01: by digest; a file, and a folder whatever the names in it."""
    (tmp_path / "one.ndjson").write_text(lines(patient(), eob()))
    first = take_path(tmp_path / "one.ndjson")
    (tmp_path / "one.ndjson").rename(tmp_path / "two.ndjson")
    again = take_path(tmp_path / "two.ndjson")
    assert f"Already imported as import {first.pk}" in again.message
    assert counts(again) == {"same": 2}
    assert owed_cents() == 3000


def test_progress_is_told_and_kept_as_it_goes(db: None, tmp_path: Path) -> None:
    """The admin page reads it from the batch."""
    path = tmp_path / "many.ndjson"
    eobs.write(path, claims=1100, members=10)
    batch = running.start(path, format="fhir")
    seen: list[tuple[int, int | None, int]] = []

    def watch(read: int, total: int | None) -> None:
        seen.append((read, total, ImportBatch.objects.get(pk=batch.pk).read))

    running.run(batch.pk, path, progress=watch)
    assert seen == [(1000, 1110, 1000), (1110, 1110, 1110)]


def test_generated_claims_sum_to_what_their_generator_says(db: None, tmp_path: Path) -> None:
    """The benchmark's own input, small: bills, charges and deductibles."""
    path = tmp_path / "eobs.ndjson"
    totals = eobs.write(path, claims=300, members=20)
    batch = take_path(path)
    assert counts(batch) == {"new": 320}
    assert owed_cents() == totals.owed_cents
    assert sum(Claim.objects.values_list("billed_cents", flat=True)) == totals.submitted_cents
    assert sum(Accumulator.objects.values_list("deductible_cents", flat=True)) == totals.deductible_cents
    assert book_holds()


IMPORT = """
import os, signal, sys, django
django.setup()
from django.db import connection
from bills.imports import running
path, name, mark, times = sys.argv[1:5]
connection.settings_dict["NAME"] = name
met = 0

def die(execute, sql, *rest):
    global met
    met += mark in sql
    if met == int(times):
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, *rest)

batch = running.start(path, format="fhir")
with connection.execute_wrapper(die):
    running.run(batch.pk, path)
"""


def begin(path: Path, mark: str = "", times: int = -1) -> "subprocess.Popen[bytes]":
    """An import in a process of its own, on this test's database; it kills itself where it meets `mark` again."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "billing_portal.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(path), connection.settings_dict["NAME"], mark, str(times)],
        env=environment, cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mark", ["INSERT INTO ledger_transfer", "INSERT INTO bills_accumulator", 'SET "read"'])
def test_an_import_that_is_killed_is_finished_by_running_it_again(real_db: None, tmp_path: Path, mark: str) -> None:
    """J02, P12: killed in the midst of its second chunk; whole chunks stand, and the totals come out all the same."""
    path = tmp_path / "eobs.ndjson"
    totals = eobs.write(path, claims=2500, members=50)
    assert begin(path, mark, 2).wait(timeout=120) == -signal.SIGKILL
    standing = Claim.objects.count()
    assert standing + totals.members == 1000
    assert book_holds()
    batch = take_path(path)
    assert counts(batch) == {"new": totals.claims - standing, "same": standing + totals.members}
    assert owed_cents() == totals.owed_cents
    assert book_holds()


@pytest.mark.slow
def test_two_imports_at_once_bill_each_claim_once(real_db: None, tmp_path: Path) -> None:
    """J20: the same file twice at the same time, in two processes."""
    path = tmp_path / "eobs.ndjson"
    totals = eobs.write(path, claims=1500, members=30)
    both = [begin(path), begin(path)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert Bill.objects.filter(voided_at=None).count() == Bill.objects.count()
    assert (Claim.objects.count(), owed_cents()) == (totals.claims, totals.owed_cents)
    first, second = ImportBatch.objects.order_by("pk")
    assert first.new + second.new == totals.claims + totals.members
    assert book_holds()


@pytest.mark.slow
def test_two_versions_of_one_claim_at_once_end_with_the_newer(real_db: None, tmp_path: Path) -> None:
    """J06, J20: whichever comes first."""
    take(tmp_path, patient(), eob())
    versions = [owes(eob(), 45, month=6), owes(eob(), 60, month=7)]
    faults: list[BaseException] = []

    def work(version: dict) -> None:
        try:
            take(tmp_path, version)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert owed_cents() == 6000
    assert book_holds()


def test_an_uploaded_file_is_taken_under_a_name_of_our_own(cast: Cast, tmp_path: Path, settings: object) -> None:
    """J22: paths, letters of all alphabets and 300 characters are no path of ours."""
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    name = "../../etc/" + "é漢" * 150 + ".ndjson"
    file = SimpleUploadedFile("x", lines(patient(), eob()).encode())
    file._name = name  # type: ignore[attr-defined]  # past Django's own cleaning
    batch = uploads.receive(file, format="fhir", by=cast.dana)
    stored = Path(batch.upload.path)
    assert stored.is_relative_to(tmp_path)
    assert stored.suffix == ".ndjson"
    assert "/" not in batch.file_name and len(batch.file_name) <= 255
    assert counts(running.run(batch.pk)) == {"new": 2}


def test_the_command_says_what_came_of_it(db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A summary; the refused with line, field, rule and what to do; exit code 1 for them, and the good ones kept."""
    path = tmp_path / "mixed.ndjson"
    path.write_text(lines(patient(), eob(), eob("e2", use="preauthorization"), {"resourceType": "Flurb"}))
    with pytest.raises(CommandError, match="Something was refused"):
        call_command("import_bills", "--format", "fhir", str(path))
    out, err = capsys.readouterr()
    assert "4 records: 2 new, 0 changed, 0 same, 0 in review, 1 refused, 1 skipped." in out
    assert "line 3, use: Only claims become bills" in err
    path.write_text(lines(patient(), eob()))
    call_command("import_bills", "--format", "fhir", str(path))
    assert "2 records: 0 new, 0 changed, 2 same" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["missing.ndjson", "nothing here"])
def test_the_command_refuses_a_path_that_is_not_there(db: None, tmp_path: Path, name: str) -> None:
    """One clear line, and no batch is begun."""
    (tmp_path / "nothing here").mkdir()
    with pytest.raises(CommandError, match="no such file|holds no fhir file"):
        call_command("import_bills", "--format", "fhir", str(tmp_path / name))
    assert not ImportBatch.objects.exists()


def test_a_file_that_breaks_off_says_so_and_stays_repeatable(
    real_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw marks the batch failed, and is raised."""
    path = tmp_path / "one.ndjson"
    path.write_text(lines(patient(), eob()))
    batch = running.start(path, format="fhir")

    def broken(read: int, total: int | None) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        running.run(batch.pk, path, progress=broken)
    batch.refresh_from_db()
    assert batch.status == "failed"
    assert counts(running.run(batch.pk, path)) == {"same": 2}


def test_nothing_of_a_person_is_in_what_is_printed(db: None, tmp_path: Path) -> None:
    """J04: reasons name rules, never people."""
    path = tmp_path / "bad.ndjson"
    path.write_text(lines(patient(name=[{"family": "Canaryname", "given": []}]), eob(patient_id="Canaryname!")))
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_bills", "--format", "fhir", str(path), stdout=out, stderr=err)
    assert "Canaryname" not in out.getvalue() + err.getvalue()
