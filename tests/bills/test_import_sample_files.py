"""Every FHIR file under shared/data, and the totals that its SOURCES.md gives."""

import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Member
from bills.imports import adjudication, files
from bills.imports.problems import NeedsReview
from bills.models import Bill, Claim, ImportReject
from ledger.templatetags.portal import usd
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
from tests.conftest import Cast
from tests.payments.pages import signed_in, text_of

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
    owed = (synthea_owed(one) or 0 for _path, one in resources("synthea-r4", "ExplanationOfBenefit"))
    assert owed_cents() == sum(owed)


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


CARIN = {  # what each is taken as, alone: status, billed, paid by the plan, discount, in dollars; or why it is held
    "EOBInpatient1": ("open", 2650, 620, 0),
    "EOBOutpatient1": ("open", 2650, 620, 0),
    "EOBProfessional1": ("open", 250, 200, 0),
    "EOBOral1": ("active", 410, 350, 60),
    "EOBPharmacy1": "lines_disagree",  # its one line states other amounts than its totals
    "BB-EOBInpatient1-nonfinancial": None,
    "BB-EOBPharmacy1-nonfinancial": None,
}


@pytest.mark.parametrize("name", CARIN)
def test_each_carin_claim_stands_with_its_sums_or_is_held_and_none_bills_what_it_does_not_state(
    db: None, tmp_path: Path, name: str
) -> None:
    """None states a member liability: `partial` ones are not decided yet, the wholly paid one is owed nothing."""
    take(tmp_path, patient("Patient2"))
    batch = take_path(FHIR / "carin-bb" / f"ExplanationOfBenefit-{name}.json")
    expected = CARIN[name]
    if isinstance(expected, tuple):
        status, *dollars = expected
        claim = Claim.objects.get(source_id=f"ExplanationOfBenefit/{name}")
        assert [claim.billed_cents, claim.plan_paid_cents, claim.discount_cents] == [100 * sum for sum in dollars]
        assert (claim.status, claim.member_owes_cents, open_reviews()) == (status, 0, [])
    else:
        assert (Claim.objects.count(), open_reviews()) == (0, [expected] if expected else [])
        assert expected or "1 × an explanation of benefits without amounts" in batch.message
    assert not Bill.objects.exists()


def test_carin_claims_of_one_number_are_looked_at_before_both_stand(db: None, tmp_path: Path) -> None:
    """Inpatient and outpatient carry one number, person, kind and day: the second waits for somebody to decide."""
    take(tmp_path, patient("Patient2"))
    batch = take_path(FHIR / "carin-bb")
    assert dict(ImportReject.objects.filter(batch=batch).values_list("source_id", "rule")) == {
        "ExplanationOfBenefit/EOBOutpatient1": "same_claim",
        "ExplanationOfBenefit/EOBPharmacy1": "lines_disagree",
    }
    assert Claim.objects.count() == 3


def test_the_pages_of_a_carin_and_a_synthea_claim_show_the_sums_of_the_files(cast: Cast, tmp_path: Path) -> None:
    """What was imported is what the member reads, on the list and on the claim's own page."""
    take(tmp_path, patient("Patient2"))
    take_path(FHIR / "carin-bb" / "ExplanationOfBenefit-EOBInpatient1.json")
    take_path(next((FHIR / "synthea-r4").glob("Denny_Bins*")))
    _path, raw = next(
        (path, one) for path, one in resources("synthea-r4", "ExplanationOfBenefit")
        if path.name.startswith("Denny_Bins") and synthea_owed(one)
    )  # fmt: skip
    synthea = Claim.objects.get(source_id=f"ExplanationOfBenefit/{raw['id']}")
    carin = Claim.objects.get(source_id="ExplanationOfBenefit/EOBInpatient1")
    # Both become Alice's: members that a file brings have nobody who signs in.
    Claim.objects.update(member=cast.alice, household=cast.household)
    client = signed_in(cast.alice)
    assert "Charged $2,650.00, your plan paid $620.00" in text_of(client.get("/claims/?kind=institutional"))
    page = text_of(client.get(f"/claims/{carin.number}/"))
    assert "Your plan paid − $620.00" in page and "$2,650.00" in page
    assert "Your share so far $0.00 Not decided yet" in page and "Nothing is due for it" in page
    page = text_of(client.get(f"/claims/{synthea.number}/"))
    owed, paid, billed = synthea_owed(raw), rounded(raw["payment"]["amount"]["value"]), rounded(submitted(raw))
    for told in (f"charged {usd(billed)}", f"Your plan paid − {usd(paid)}", f"You owe {usd(owed or 0)}"):
        assert told in page


def rounded(dollars: Any) -> int:
    """US cents, rounded half up once."""
    return int((Decimal(dollars) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def submitted(resource: dict) -> Any:
    """The one total of a Synthea claim."""
    [total] = resource["total"]
    return total["amount"]["value"]


def stated(resource: dict, *variables: str) -> Decimal | None:
    """The sum of what the items of a claim state under CMS's variables, in dollars; None where they state none."""
    amounts = [
        Decimal(entry["amount"].get("value", 0))
        for item in resource["item"]
        for entry in item.get("adjudication", [])
        if "amount" in entry
        and any(coding["code"].rpartition("/")[2] in variables for coding in entry["category"]["coding"])
    ]
    return sum(amounts, Decimal(0)) if amounts else None


def synthea_owed(resource: dict) -> int | None:
    """What a Synthea claim leaves to the member, US cents: deductible and coinsurance; None where it states neither."""
    dollars = stated(resource, "line_coinsrnc_amt", "line_bene_ptb_ddctbl_amt")
    return None if dollars is None else rounded(dollars)


def test_synthea_bills_are_the_sums_that_the_files_give(db: None) -> None:
    """Binary-float amounts (28.104000000000003) rounded half up to cents, computed here apart from the importer."""
    batch = take_path(FHIR / "synthea-r4")
    everything = {one["id"]: one for _path, one in resources("synthea-r4", "ExplanationOfBenefit")}
    owed = {id: cents for id, one in everything.items() if (cents := synthea_owed(one)) is not None}
    bills = dict(Bill.objects.values_list("source_id", "amount_cents"))
    assert bills == {f"ExplanationOfBenefit/{id}": cents for id, cents in owed.items() if cents}
    amounts = ("billed_cents", "plan_paid_cents", "allowed_cents", "coinsurance_cents", "member_owes_cents")
    taken = {row[0].partition("/")[2]: row[1:] for row in Claim.objects.values_list("source_id", *amounts)}
    assert taken == {
        id: (
            rounded(submitted(everything[id])), rounded(everything[id]["payment"]["amount"]["value"]),
            rounded(stated(everything[id], "line_alowd_chrg_amt")),
            rounded(stated(everything[id], "line_coinsrnc_amt")), cents,
        )
        for id, cents in owed.items()
    }  # fmt: skip
    without = [one for id, one in everything.items() if id not in owed]
    assert {one["payment"]["amount"]["value"] for one in without} == {0}  # nothing paid, and no share stated: in review
    assert batch.in_review == len(without) == 26
    assert set(open_reviews()) == {"share_not_stated"}
    for bill in Bill.objects.prefetch_related("lines"):
        assert sum(line.amount_cents for line in bill.lines.all()) == bill.amount_cents


CMS = {  # by file: which of CMS's variables the importer's amounts are the sums of
    "Carrier": {
        "submitted": "line_sbmtd_chrg_amt", "eligible": "line_alowd_chrg_amt", "benefit": "line_nch_pmt_amt",
        "paidtoprovider": "line_prvdr_pmt_amt", "deductible": "line_bene_ptb_ddctbl_amt",
        "coinsurance": "line_coinsrnc_amt", "priorpayerpaid": "line_bene_prmry_pyr_pd_amt",
    },
    "Dme": {
        "submitted": "line_sbmtd_chrg_amt", "eligible": "line_alowd_chrg_amt", "coinsurance": "line_coinsrnc_amt",
        "paidtopatient": "line_bene_pmt_amt", "deductible": "line_bene_ptb_ddctbl_amt",
    },
    "Outpatient": {
        "submitted": "rev_cntr_tot_chrg_amt", "noncovered": "rev_cntr_ncvrd_chrg_amt",
        "coinsurance": "rev_cntr_coinsrnc_wge_adjstd_c", "paidtoprovider": "rev_cntr_prvdr_pmt_amt",
        "paidtopatient": "rev_cntr_bene_pmt_amt", "paidbypatient": "rev_cntr_ptnt_rspnsblty_pmt",
    },
    "Pde": {
        "submitted": "tot_rx_cst_amt", "benefit": "cvrd_d_plan_pd_amt", "memberliability": "ptnt_pay_amt",
        "paidbypatient": "ptnt_pay_amt", "discount": "rptd_gap_dscnt_num",
    },
    "Hospice": {"submitted": "rev_cntr_tot_chrg_amt", "noncovered": "rev_cntr_ncvrd_chrg_amt"},
}  # fmt: skip
CMS |= {"CarrierWithMultipleLines": CMS["Carrier"]} | dict.fromkeys(("Hha", "Inpatient", "Snf"), CMS["Hospice"])


@pytest.mark.parametrize("name", CMS)
def test_each_cms_file_is_mapped_variable_by_variable(name: str) -> None:
    """SOURCES.md: these test the mapping, and need not tie. Every amount of a slot is what the file states for it."""
    resource = json.loads((FHIR / "cms-bfd-v2" / f"eobRead{name}.json").read_text(), parse_float=Decimal)
    found: dict[str, Decimal] = defaultdict(Decimal)
    for item in resource["item"]:
        for slot, cents in adjudication._level(item.get("adjudication"), "item.adjudication").items():
            found[slot] += Decimal(cents)
    expected = {slot: stated(resource, variable) for slot, variable in CMS[name].items()}
    assert {slot: found[slot] / 100 for slot in expected} == expected


def test_every_cms_claim_of_the_bundles_is_one_that_a_file_of_its_own_gives(db: None) -> None:
    """A paging bundle brings nothing new: each claim stands or waits once, whichever file it came in."""
    taken, waiting = {"ExplanationOfBenefit/pde-89"}, set()
    for name in ("eobByPatientIdPaged.json", "eobByPatientIdAll.json"):
        take_path(FHIR / "cms-bfd-v2" / "patientRead.json")
        take_path(FHIR / "cms-bfd-v2" / name)
        taken |= set(Claim.objects.values_list("source_id", flat=True))
    waiting = set(ImportReject.objects.filter(resolved_at=None, outcome="review").values_list("source_id", flat=True))
    every = {f"ExplanationOfBenefit/{one['id']}" for _path, one in resources("cms-bfd-v2", "ExplanationOfBenefit")}
    assert (taken | waiting, taken & waiting) == (every, set())


def test_cms_amounts_that_do_not_tie_go_to_review_and_a_paid_prescription_does_not(db: None) -> None:
    """SOURCES.md: the CMS amounts are mapping tests, and need not tie to their lines."""
    take_path(FHIR / "cms-bfd-v2")
    prescription = Claim.objects.get()
    assert (prescription.source_id, prescription.billed_cents) == ("ExplanationOfBenefit/pde-89", 55000)
    assert (prescription.plan_paid_cents, prescription.member_owes_cents) == (12699, 23585)
    assert prescription.bill is None  # paid at the pharmacy
    assert set(open_reviews()) == {"lines_disagree", "totals_disagree"}


OTHERS = {  # every file that carries no claim of ours: what comes of it, by rule, or what is said of what is skipped
    "r4-spec-examples/account-example.json": "Account: it carries no amount in R4",
    "r4-spec-examples/chargeitem-example.json": "ChargeItem: it is billed by its invoice",
    "r4-spec-examples/claim-example.json": "Claim: not yet processed",
    "r4-spec-examples/claim-example-institutional.json": "Claim: not yet processed",
    "r4-spec-examples/claim-example-professional.json": "Claim: not yet processed",
    "r4-spec-examples/claimresponse-example.json": "ClaimResponse",
    "r4-spec-examples/coverage-example.json": ("review", "patient_unknown"),
    "r4-spec-examples/coverageeligibilityresponse-example-benefits.json": "CoverageEligibilityResponse",
    "r4-spec-examples/explanationofbenefit-example.json": ("review", "lines_disagree"),
    "r4-spec-examples/invoice-example.json": ("refused", "currency"),
    "r4-spec-examples/paymentnotice-example.json": "PaymentNotice",
    "davinci-pdex/Coverage-883210.json": ("review", "patient_unknown"),
    "davinci-pdex/Coverage-Coverage1.json": ("review", "patient_unknown"),
    "davinci-pdex/Coverage-coverage-2.json": "a coverage that is a draft or an error",
    "davinci-pdex/ExplanationOfBenefit-PDexPriorAuth1.json": ("refused", "not_a_claim"),
}


def test_each_other_file_is_skipped_held_or_refused_for_its_own_reason(db: None) -> None:
    """None of them becomes a bill: prior authorizations, requests, notices, euros, lines that contradict a total."""
    for name, expected in OTHERS.items():
        batch = take_path(FHIR / name)
        if isinstance(expected, str):
            assert (expected in batch.message, batch.rejects.count()) == (True, 0), name
        else:
            assert list(batch.rejects.values_list("outcome", "rule")) == [expected], name
    assert not Bill.objects.exists() and not Claim.objects.exists()
    known = {path.relative_to(FHIR).as_posix() for path in FHIR.glob("r4-spec-examples/*")}
    known |= {path.relative_to(FHIR).as_posix() for path in FHIR.glob("davinci-pdex/*") if "Patient" not in path.name}
    assert known == set(OTHERS)


def test_bulk_export_files_bring_their_people(db: None) -> None:
    """Patients become members, organizations and practitioners names; there is no money in them."""
    batch = take_path(FHIR / "bulk-ndjson")
    people = {one["id"] for _path, one in resources("bulk-ndjson", "Patient")}
    assert len(people) == batch.new == Member.objects.count() == 13
    assert not Bill.objects.exists()


def test_files_of_medicare_s_research_tables_are_refused_whole(db: None) -> None:
    """Not taken: a format for research, of which no sums are given; each claim of it comes as FHIR from CMS."""
    for path in sorted((SHARED / "medicare-rif").iterdir()):
        batch = take_path(path, format="csv")
        assert (batch.status, batch.read, "These columns are not known" in batch.message) == ("refused", 0, True)


def test_stu3_is_refused_record_by_record(db: None) -> None:
    """The wrong version on purpose: nothing of it is taken."""
    batch = take_path(FHIR / "stu3-must-be-refused")
    assert counts(batch) == {"refused": 10}
    assert set(rules(batch)) == {"stu3"}


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
