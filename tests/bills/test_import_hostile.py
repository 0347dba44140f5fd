"""What a hostile or broken file may try: depth, length, types, links. It is refused, bounded, and has no effect."""

import json
import random
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import import_fhir
from bills.imports import files
from bills.models import Bill, Claim, ClaimLine, ImportReject
from tests.bills.importing import book_holds, counts, eob, owed_cents, patient, rules, take, take_path


@pytest.fixture
def folder(db: None, tmp_path: Path) -> Path:
    """A folder for files, with the member imported."""
    take(tmp_path, patient())
    return tmp_path


DEEP = 100_000


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("suffix", [".json", ".ndjson"])
def test_json_of_a_hundred_thousand_levels_is_refused_at_once(folder: Path, opening: str, suffix: str) -> None:
    """J13."""
    path = folder / f"deep{suffix}"
    closing = "}" if opening == '{"a":' else "]"
    path.write_text('{"resourceType":"Patient","x":' + opening * DEEP + "1" + closing * DEEP + "}")
    begun = time.monotonic()
    batch = take_path(path)
    assert (counts(batch), rules(batch)) == ({"refused": 1}, ["json"])
    assert time.monotonic() - begun < 5


def test_a_line_beyond_the_bound_is_read_past_and_the_others_are_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J13: with its line number."""
    monkeypatch.setattr(files, "MAX_RECORD_BYTES", 10_000)
    batch = take(folder, eob("e1"), b'{"x":"' + b"y" * 1_000_000 + b'"}', eob("e2"))
    assert counts(batch) == {"new": 2, "refused": 1}
    assert list(batch.rejects.values_list("line", "rule")) == [(2, "too_long")]


def test_a_bundle_entry_beyond_the_bound_ends_the_file_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """J13: what came before it is taken."""
    monkeypatch.setattr(files, "MAX_RECORD_BYTES", 100_000)
    path = folder / "bundle.json"
    entries = [{"resource": eob("e1")}, {"resource": {"resourceType": "Binary", "data": "A" * 500_000}}]
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}))
    batch = take_path(path)
    assert (counts(batch), rules(batch)) == ({"new": 1, "refused": 1}, ["too_long"])


MEASURE = """
import resource, sys
from pathlib import Path
from bills.imports import files
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = [item.problem.rule for item in files.read(Path(sys.argv[1])) if item.problem]
print(found, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".json", ".ndjson"])
def test_one_line_of_500_mb_takes_little_memory(tmp_path: Path, suffix: str) -> None:
    """J13: refused without being held; the file is sparse."""
    path = tmp_path / f"long{suffix}"
    with path.open("wb") as file:
        file.write(b'{"resourceType":"Binary","data":"')
        for _ in range(500):
            file.write(b"A" * 1024 * 1024)
        file.write(b'"}\n')
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    path.unlink()
    found, mib = done.stdout.rsplit(" ", 1)
    assert found == "['too_long']"
    assert int(mib) < 100


def test_links_and_scripts_are_text_and_nothing_is_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """J18: no socket is opened while a file full of addresses is imported, and no address is kept."""

    def refuse(self: socket.socket, address: object) -> None:
        raise AssertionError(f"the importer opened a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    evil = "javascript:alert(1)"
    record = eob(
        text={"div": f"<script src='{evil}'></script>"},
        insurer={"reference": "http://169.254.169.254/Organization/1"},
        provider={"reference": "http://169.254.169.254/latest", "display": f"<a href='{evil}'>x</a>"},
        extension=[{"url": evil, "valueUrl": evil}],
        contained=[{"resourceType": "Organization", "id": "a", "partOf": {"reference": "#a"}}],
    )
    take(folder, record)
    bill = Bill.objects.get()
    assert bill.provider_name == f"<a href='{evil}'>x</a>"  # as text, which every page escapes
    assert evil not in json.dumps(list(Bill.objects.values("title")) + list(ClaimLine.objects.values("description")))


def test_unknown_resources_are_counted_and_passed_over(folder: Path) -> None:
    """J18."""
    batch = take(folder, {"resourceType": "Binary", "data": "A" * 1000}, {"resourceType": "Flurb"}, {"no": "type"})
    assert (counts(batch), rules(batch)) == ({"refused": 1}, ["resource_type"])
    assert "1 × Binary; 1 × Flurb" in batch.message


def test_controls_and_turned_text_do_not_reach_a_name(folder: Path) -> None:
    """NUL, line breaks and marks that turn the direction of text."""
    take(folder, eob(provider={"display": "Lake\u0000 \u202eCli\nnic\t"}))
    assert Claim.objects.get().provider_name == "Lake   Cli nic"


def test_a_record_in_review_that_carries_nul_is_written_down_all_the_same(folder: Path) -> None:
    """PostgreSQL takes no NUL in JSON: the reason is kept, the record is not."""
    take(folder, eob(total={"submitted": 10}, disposition="a\u0000b"))
    assert ImportReject.objects.get().record.keys() == {"version"}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "The file is empty."),
        (b"  \n", "The file is empty."),
        (b"ISA*00*          *00*          *ZZ*A*ZZ*B*~GS*HP*A*B*20260101*1*1*X*004010X091A1~", "4010 is not accepted"),
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "FHIR in XML is not read"),
        (b"member,amount\n", "The file is not JSON"),
        (b"\x1f\x8b\x08", "The file is not JSON"),
    ],
)
@pytest.mark.parametrize("suffix", [".json", ".ndjson"])
def test_a_file_that_is_no_fhir_json_is_refused_whole(folder: Path, content: bytes, rule: str, suffix: str) -> None:
    """With the reason, and without a single effect."""
    path = folder / f"other{suffix}"
    path.write_bytes(content)
    batch = take_path(path)
    assert batch.status == "refused"
    assert rule in batch.message


def test_a_truncated_bundle_keeps_what_came_before(folder: Path) -> None:
    """J04: the rest is refused, and said so."""
    path = folder / "cut.json"
    whole = json.dumps({"resourceType": "Bundle", "entry": [{"resource": eob("e1")}, {"resource": eob("e2")}]})
    path.write_text(whole[:-40])
    batch = take_path(path)
    assert (counts(batch), rules(batch)) == ({"new": 1, "refused": 1}, ["json"])


def test_lines_are_read_as_lines_whatever_the_file_is_called(folder: Path) -> None:
    """An upload keeps no more of a name than its ending."""
    path = folder / "lines.json"
    path.write_text(json.dumps(eob("e1")) + "\n" + json.dumps(eob("e2")) + "\n")
    assert counts(take_path(path)) == {"new": 2}


def test_one_bad_record_in_many_keeps_the_good_ones_and_names_no_person_in_the_log(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """J04: rule: the record is refused, not the file; line number, field and rule; nothing of the person in a log."""
    good = [eob(f"e{n}") for n in range(20)]
    bad = patient("pX", birthDate="secret-1980", name=[{"family": "Canaryname", "given": ["Zed"]}])
    batch = take(folder, *good[:10], bad, b'{"broken": "Canaryname', *good[10:])
    assert counts(batch) == {"new": 20, "refused": 2}
    assert sorted(batch.rejects.values_list("line", "rule")) == [(11, "birth_date"), (12, "json")]
    assert "Canaryname" not in caplog.text + batch.message + json.dumps(list(batch.rejects.values("reason", "field")))


WRONG = (
    None,
    True,
    0,
    -1,
    1e308,
    "",
    "x" * 50,
    "\u0000",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"coding": 1},
    {"reference": 7},
    {"value": {}},
)


def mutated(value: object, dice: random.Random) -> object:
    """The value with something in it exchanged for what does not belong there."""
    if dice.random() < 0.04:
        return dice.choice(WRONG)
    if isinstance(value, dict):
        return {k: mutated(v, dice) for k, v in value.items() if dice.random() > 0.01}
    if isinstance(value, list):
        return [mutated(v, dice) for v in value]
    return value


def test_thousands_of_mutants_break_nothing(folder: Path) -> None:
    """J24, a first part of it: no crash, no partial commit, and the book holds."""
    dice = random.Random(7)
    total = {"submitted": 200, "eligible": 150, "benefit": 120, "coinsurance": 30}
    kinds = [
        eob(total=total, items=[{"coinsurance": 30}], related=[{"relationship": {"coding": [{"code": "prior"}]}}]),
        patient("p9"),
        {
            "resourceType": "Coverage", "id": "c1", "status": "active", "beneficiary": {"reference": "Patient/p1"},
            "subscriber": {"reference": "Patient/p1"}, "period": {"start": "2026-01-01"}, "payor": [{"display": "x"}],
            "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "G"}],
        },
        {
            "resourceType": "Invoice", "id": "i1", "status": "issued", "subject": {"reference": "Patient/p1"},
            "date": "2026-01-01", "totalGross": {"value": 5, "currency": "USD"},
            "lineItem": [{"priceComponent": [{"type": "base", "amount": {"value": 5, "currency": "USD"}}]}],
        },
    ]  # fmt: skip
    records = []
    for n in range(2000):
        record = mutated(kinds[n % len(kinds)], dice)
        records.append(record | {"id": f"m{n}"} if isinstance(record, dict) else {"resourceType": record})
    batch = take(folder, *records)
    assert batch.status == "finished"
    assert batch.read == 2000
    assert batch.refused > 100
    assert batch.new > 50
    assert book_holds()
    assert owed_cents() == sum(Bill.objects.filter(voided_at__isnull=True).values_list("amount_cents", flat=True))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(real_db: None) -> None:
    """J13: the benchmark measures it with longer files; here one three times as long peaks within 10 %."""
    small, large = import_fhir.peak_mib(2_000), import_fhir.peak_mib(6_000)
    assert large < small * 1.1, (small, large)
