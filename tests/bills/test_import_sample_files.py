"""Every FHIR file under shared/data, and the totals that its SOURCES.md gives."""

import json
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from bills.imports import adjudication, files
from bills.imports.problems import NeedsReview
from bills.models import Bill, Claim, ImportReject
from tests.bills.importing import (
    SHARED,
    book_holds,
    counts,
    open_reviews,
    owed_cents,
    patient,
    rules,
    take,
    take_path,
)  # fmt: skip

FHIR = SHARED / "fhir"
pytestmark = pytest.mark.skipif(not FHIR.is_dir(), reason=f"the sample files are not here: {FHIR}")

FOLDERS = (
    "bulk-ndjson", "carin-bb", "cms-bfd-v2", "davinci-pdex", "r4-spec-examples", "stu3-must-be-refused", "synthea-r4",
)  # fmt: skip


def resources(folder: str, kind: str) -> Iterator[tuple[Path, dict]]:
    """The resources of a type in a folder, read by the standard library alone."""
    for path in sorted((FHIR / folder).iterdir()):
        for text in path.read_text().splitlines() if path.suffix == ".ndjson" else [path.read_text()]:
            document = json.loads(text, parse_float=Decimal)
            entries = [entry["resource"] for entry in document.get("entry", [])]
            for resource in entries if document["resourceType"] == "Bundle" else [document]:
                if resource["resourceType"] == kind:
                    yield path, resource


def test_every_file_is_taken_skipped_or_refused_with_its_reason_and_a_second_time_changes_nothing(db: None) -> None:
    """J01: every record of every file ends in a count, none breaks the run, and all of it again has no effect."""
    assert {path.name for path in FHIR.iterdir()} == set(FOLDERS)
    for folder in FOLDERS:
        batch = take_path(FHIR / folder)
        assert batch.status == "finished"
        assert batch.read == sum(1 for path in files.expand([FHIR / folder], "fhir") for _ in files.read(path))
        assert not batch.rejects.filter(reason="").exists()
    before = [*Bill.objects.order_by("pk").values_list("pk", "amount_cents")], owed_cents(), Claim.objects.count()
    assert book_holds()
    for folder in FOLDERS:
        batch = take_path(FHIR / folder)
        assert (batch.new, "Already imported" in batch.message) == (0, True)
        assert folder == "cms-bfd-v2" or batch.changed == 0
    after = [*Bill.objects.order_by("pk").values_list("pk", "amount_cents")], owed_cents(), Claim.objects.count()
    assert before == after
    assert book_holds()


def test_every_single_file_can_be_imported_by_itself(db: None) -> None:
    """Order does not matter for what is owed: file by file, backwards, ends in the same sum."""
    for path in sorted((p for p in FHIR.rglob("*") if p.is_file()), reverse=True):
        assert take_path(path).status == "finished"
    assert owed_cents() == sum(synthea_owed().values())


def test_carin_totals_are_read_as_the_notes_give_them() -> None:
    """SOURCES.md: submitted 2650 / paid 620 three times, 250 / 200, and 410 / 350 / discount 60."""
    found = {}
    for _path, resource in resources("carin-bb", "ExplanationOfBenefit"):
        levels = [adjudication._level(resource.get(name), name) for name in ("total", "adjudication")]
        total = levels[1] | levels[0]
        found[resource["id"]] = tuple(
            int(total[name]) // 100 for name in ("submitted", "paidtoprovider", "discount") if name in total
        )
    for basis in ("BB-EOBInpatient1-nonfinancial", "BB-EOBPharmacy1-nonfinancial"):
        assert found.pop(basis) == ()
    assert found == {
        "EOBInpatient1": (2650, 620),
        "EOBOutpatient1": (2650, 620),
        "EOBPharmacy1": (2650, 620),
        "EOBProfessional1": (250, 200),
        "EOBOral1": (410, 350, 60),
    }


def test_carin_claims_bill_nothing_that_they_do_not_state(db: None, tmp_path: Path) -> None:
    """None states a member liability: the wholly paid one is a claim of nothing owed, the others go to review."""
    take(tmp_path, patient("Patient2"))
    batch = take_path(FHIR / "carin-bb")
    reviews = dict(ImportReject.objects.filter(batch=batch).values_list("source_id", "rule"))
    assert reviews == {
        "ExplanationOfBenefit/EOBInpatient1": "share_not_stated",
        "ExplanationOfBenefit/EOBOutpatient1": "share_not_stated",
        "ExplanationOfBenefit/EOBPharmacy1": "lines_disagree",
        "ExplanationOfBenefit/EOBProfessional1": "share_not_stated",
    }
    oral = Claim.objects.get()
    assert (oral.source_id, oral.billed_cents, oral.plan_paid_cents) == ("ExplanationOfBenefit/EOBOral1", 41000, 35000)
    assert (oral.discount_cents, oral.member_owes_cents, oral.bill) == (6000, 0, None)
    assert not Bill.objects.exists()
    assert "2 × an explanation of benefits without amounts" in batch.message


def synthea_owed() -> dict[str, int]:
    """What Synthea's claims leave to the member, by id, US cents: deductible and coinsurance, rounded half up once."""
    owed = {}
    for _path, resource in resources("synthea-r4", "ExplanationOfBenefit"):
        amounts = [
            Decimal(entry["amount"]["value"])
            for item in resource["item"]
            for entry in item.get("adjudication", [])
            if entry["category"]["coding"][0]["code"].endswith(("line_coinsrnc_amt", "line_bene_ptb_ddctbl_amt"))
        ]
        if amounts:
            owed[resource["id"]] = int((sum(amounts) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return owed


def test_synthea_bills_are_the_sums_that_the_files_give(db: None) -> None:
    """Binary-float amounts (28.104000000000003) rounded half up to cents, computed here apart from the importer."""
    batch = take_path(FHIR / "synthea-r4")
    expected = synthea_owed()
    bills = dict(Bill.objects.values_list("source_id", "amount_cents"))
    assert bills == {f"ExplanationOfBenefit/{id}": cents for id, cents in expected.items() if cents}
    submitted = {
        f"ExplanationOfBenefit/{resource['id']}": resource["total"][0]["amount"]["value"]
        for _path, resource in resources("synthea-r4", "ExplanationOfBenefit")
        if resource["id"] in expected
    }
    billed = dict(Claim.objects.values_list("source_id", "billed_cents"))
    assert billed == {key: int((Decimal(v) * 100).quantize(Decimal(1), ROUND_HALF_UP)) for key, v in submitted.items()}
    everything = sum(1 for _ in resources("synthea-r4", "ExplanationOfBenefit"))
    assert batch.in_review == everything - len(expected) > 0
    assert set(open_reviews()) == {"share_not_stated"}
    for bill in Bill.objects.prefetch_related("lines"):
        assert sum(line.amount_cents for line in bill.lines.all()) == bill.amount_cents


def test_cms_amounts_that_do_not_tie_go_to_review_and_a_paid_prescription_does_not(db: None) -> None:
    """SOURCES.md: the CMS amounts are mapping tests, and need not tie to their lines."""
    take_path(FHIR / "cms-bfd-v2")
    prescription = Claim.objects.get()
    assert (prescription.source_id, prescription.billed_cents) == ("ExplanationOfBenefit/pde-89", 55000)
    assert (prescription.plan_paid_cents, prescription.member_owes_cents) == (12699, 23585)
    assert prescription.bill is None  # paid at the pharmacy
    assert set(open_reviews()) == {"lines_disagree", "totals_disagree"}


def test_stu3_is_refused_record_by_record(db: None) -> None:
    """The wrong version on purpose: nothing of it is taken."""
    batch = take_path(FHIR / "stu3-must-be-refused")
    assert counts(batch) == {"refused": 10}
    assert set(rules(batch)) == {"stu3"}


def test_a_prior_authorization_is_refused(db: None) -> None:
    """RULES 9.2: only use = claim is ever billed."""
    batch = take_path(FHIR / "davinci-pdex")
    assert list(batch.rejects.values_list("outcome", "rule", "field")) == [("refused", "not_a_claim", "use")]


def test_the_specification_s_invoice_in_euros_is_refused(db: None) -> None:
    """Only US dollars are taken."""
    batch = take_path(FHIR / "r4-spec-examples" / "invoice-example.json")
    assert list(batch.rejects.values_list("outcome", "rule", "field")) == [
        ("refused", "currency", "totalGross.currency")
    ]


def test_levels_of_the_notes_are_read_without_a_review_where_they_agree() -> None:
    """The claim that is wholly paid is the one that `read` takes without asking a person."""
    taken = []
    for _path, resource in resources("carin-bb", "ExplanationOfBenefit"):
        try:
            found = adjudication.read(resource)
        except NeedsReview:
            continue
        if found is not None:
            taken.append((resource["id"], found.owed, found.plan_paid))
    assert taken == [("EOBOral1", 0, 35000)]
