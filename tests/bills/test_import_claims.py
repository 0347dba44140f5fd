"""Claims from FHIR: what becomes a bill, what goes to review, and how corrections reach the book."""

import datetime as dt
import json
from pathlib import Path

import pytest

from activity.models import Event, WorkItem
from bills import issuing
from bills.models import Accumulator, Bill, BillLine, Claim, ImportReject
from ledger.models import Transfer
from tests.bills.importing import (
    adjudication,
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
    rules,
    take,
)  # fmt: skip

COSTS = {"submitted": 200, "eligible": 150, "benefit": 110, "deductible": 25, "copay": 10, "coinsurance": 5}


@pytest.fixture
def folder(db: None, tmp_path: Path) -> Path:
    """A folder for files, with the member imported."""
    take(tmp_path, patient())
    return tmp_path


def test_a_claim_becomes_a_bill_for_what_the_member_owes(folder: Path) -> None:
    """RULES 9.2: deductible, copay and coinsurance; the claim keeps every amount, and the year counts them."""
    assert counts(take(folder, eob(total=COSTS))) == {"new": 1}
    taken = claim()
    bill = taken.bill
    assert bill is not None
    assert (bill.amount_cents, bill.balance_cents, bill.title, bill.provider_name) == (
        4000,
        4000,
        "Office visit",
        "Lake Clinic",
    )
    assert (bill.due_on - bill.issued_on).days == 30
    assert (taken.number, taken.billed_cents, taken.allowed_cents, taken.discount_cents) == (
        "CLM-e1",
        20000,
        15000,
        5000,
    )
    assert (taken.plan_paid_cents, taken.member_owes_cents) == (11000, 4000)
    year = Accumulator.objects.get()
    assert (year.year, year.deductible_cents, year.out_of_pocket_cents) == (2026, 2500, 4000)
    event = Event.objects.get(kind="bill.issued")
    assert (event.subject, event.data, event.owner_id) == (
        f"bill:{bill.number}",
        {"bill_id": bill.pk},
        bill.household_id,
    )
    assert book_holds()


def test_what_the_set_based_insert_writes_is_what_issuing_writes(folder: Path) -> None:
    """The bill of an import differs from one of `issuing.issue` in nothing but its ids, number and source."""
    take(folder, eob())
    imported = claim().bill
    assert imported is not None
    own = issuing.issue(
        member=imported.member, kind="medical", amount_cents=imported.amount_cents, title=imported.title,
        issued_on=imported.issued_on, due_on=imported.due_on, service_on=imported.service_on, source="own",
        source_id="1", provider_name=imported.provider_name,
        lines=[issuing.Line(description="x", amount_cents=imported.amount_cents)],
    )  # fmt: skip
    apart = {"id", "_state", "number", "receivable_id", "source", "source_id", "created_at"}
    imported, own = (Bill.objects.get(pk=bill.pk) for bill in (imported, own))
    assert {k: v for k, v in vars(imported).items() if k not in apart} == {
        k: v for k, v in vars(own).items() if k not in apart
    }
    accounts = [
        {k: v for k, v in vars(bill.receivable).items() if k not in ("id", "_state")} for bill in (imported, own)
    ]
    assert accounts[0] == accounts[1]
    transfers = [Transfer.objects.get(debit_id=bill.receivable_id) for bill in (imported, own)]
    for bill, transfer in zip((imported, own), transfers, strict=True):
        assert (transfer.key, transfer.reference) == (f"bill:{bill.pk}:issued", f"bill:{bill.number}")
        assert (transfer.amount_cents, transfer.code, transfer.effective_on) == (3000, 10, bill.issued_on)


def test_member_liability_is_preferred_and_what_was_paid_comes_off(folder: Path) -> None:
    """RULES 9.2: memberliability, less paidbypatient."""
    take(folder, eob(total=COSTS | {"memberliability": 40, "paidbypatient": 15}))
    assert (claim().member_owes_cents, balance()) == (4000, 2500)


def test_not_covered_is_billed_only_where_member_liability_includes_it(folder: Path) -> None:
    """RULES 9.2: noncovered only if memberliability says so."""
    denied = COSTS | {"eligible": 150, "noncovered": 50}
    take(folder, eob("e1", total=denied), eob("e2", total=denied | {"memberliability": 90}))
    assert (balance("e1"), balance("e2")) == (4000, 9000)


@pytest.mark.parametrize(
    ("total", "rule"),
    [
        (COSTS | {"memberliability": 41}, "liability_disagrees"),
        ({"submitted": 200, "benefit": 120}, "share_not_stated"),
        (COSTS | {"paidbypatient": 41}, "patient_paid_more"),
        (COSTS | {"coinsurance": 500, "eligible": 900, "submitted": 300}, "more_than_charged"),
        (COSTS | {"benefit": 140}, "more_than_allowed"),
        (COSTS | {"deductible": -25}, "negative_amount"),
    ],
)
def test_what_does_not_add_up_goes_to_review_and_bills_nothing(folder: Path, total: dict, rule: str) -> None:
    """RULES 9.2: a disagreement is a review, never a bill; a person of staff gets one work item for it."""
    first, second = take(folder, eob(total=total)), take(folder, eob(total=total))
    assert counts(first) == counts(second) == {"in_review": 1}
    assert open_reviews() == [rule]
    assert not Bill.objects.exists() and not Claim.objects.exists()
    assert WorkItem.objects.get().kind == "import_review"


def test_lines_that_do_not_sum_to_the_total_go_to_review(folder: Path) -> None:
    """Each line states it, and together they state something else."""
    take(folder, eob(items=[{"coinsurance": 10}, {"coinsurance": 15}]))
    assert open_reviews() == ["lines_disagree"]


def test_lines_carry_their_shares_and_sum_to_the_bill_to_the_cent(folder: Path) -> None:
    """STYLE 13: three thirds of a cent are rounded once, and split by largest remainder."""
    shares = [{"coinsurance": 3.335}, {"coinsurance": 3.335}, {"coinsurance": 3.335}]
    take(folder, eob(total={"submitted": 200}, items=shares))
    assert balance() == 1001  # 10.005 rounded half up
    assert sorted(BillLine.objects.values_list("amount_cents", flat=True)) == [333, 334, 334]


def test_decimals_are_read_from_the_text_of_the_file(folder: Path) -> None:
    """Just below half a cent stays below it, though no float can tell it from half a cent."""
    whole = eob(total={"submitted": 200, "coinsurance": 12345})
    raw = json.dumps(whole).replace("12345", "112.41499999999999999999").encode()
    take(folder, raw)
    assert balance() == 11241
    take(folder, json.dumps(eob("e2", total={"submitted": 200, "coinsurance": 112.41600000000001})))
    assert balance("e2") == 11242


def test_a_claim_that_is_wholly_paid_is_a_claim_without_a_bill(folder: Path) -> None:
    """Nothing is left: submitted less the discount is what the plan paid."""
    take(folder, eob(total={"submitted": 200, "discount": 50, "benefit": 150}))
    assert (claim().member_owes_cents, claim().bill) == (0, None)


def test_the_same_file_again_changes_nothing_whatever_its_order_or_name(folder: Path) -> None:
    """J01: the same records, reordered, with other narrative and metadata, are the same."""
    take(folder, eob("e1"), eob("e2"))
    shuffled = dict(reversed(eob("e1").items())) | {"text": {"div": "<div>x</div>"}, "meta": {"versionId": "7"}}
    assert counts(take(folder, eob("e2"), shuffled)) == {"same": 2}
    assert owed_cents() == 6000


def test_the_same_claim_under_another_id_is_not_billed_twice(folder: Path) -> None:
    """An export with new ids: number, member, kind and day are those of a claim that stands."""
    twin = eob("e9", identifier=eob("e1")["identifier"])
    take(folder, eob("e1"), twin)
    assert open_reviews() == ["same_claim"]
    assert owed_cents() == 3000


def test_a_reviewed_record_that_is_mended_is_taken_and_its_review_closes(folder: Path) -> None:
    """The work item is done with it."""
    broken = eob(total=COSTS | {"memberliability": 41})
    take(folder, broken)
    take(folder, later(eob()))
    assert open_reviews() == []
    assert WorkItem.objects.get().done_at is not None
    assert balance() == 3000


def test_what_a_person_settled_is_not_asked_again_until_it_changes(folder: Path, cast: object) -> None:
    """A reject that staff has resolved stays resolved for the very same content."""
    take(folder, eob(total=COSTS | {"memberliability": 41}))
    ImportReject.objects.update(resolved_at=dt.datetime(2026, 6, 1, tzinfo=dt.UTC), resolution="seen")
    assert counts(take(folder, eob(total=COSTS | {"memberliability": 41}))) == {"same": 1}
    assert counts(take(folder, later(eob(total=COSTS | {"memberliability": 42})))) == {"in_review": 1}


def test_a_changed_claim_whose_bill_staff_has_voided_goes_to_review(folder: Path) -> None:
    """A person decided once: a person decides again, and nothing of the claim is changed meanwhile."""
    take(folder, eob())
    bill = claim().bill
    assert bill is not None
    issuing.void(bill, on=dt.date(2026, 5, 1), reason="courtesy", actor="staff")
    take(folder, owes(eob(), 45))
    assert (open_reviews(), claim().member_owes_cents) == (["bill_voided"], 3000)
    assert book_holds()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"use": "preauthorization"}, "not_a_claim"),
        ({"use": "predetermination"}, "not_a_claim"),
        ({"outcome": ["queued"]}, "not_processed"),
        ({"outcome": "error"}, "not_processed"),
        ({"status": "draft"}, "status"),
        ({"totalCost": {"value": 1}}, "stu3"),
        ({"information": []}, "stu3"),
        ({"organization": {"reference": "Organization/1"}}, "stu3"),
        ({"type": {"coding": [{"code": "unheard-of"}]}}, "type"),
        ({"patient": {}}, "patient_missing"),
        ({"billablePeriod": {}, "item": [], "created": "soon"}, "service_date"),
        ({"modifierExtension": [{"url": "http://x"}]}, "modifier_extension"),
        ({"total": [adjudication("coinsurance", "30")]}, "amount"),
        ({"total": [adjudication("coinsurance", 1e9)]}, "amount"),
        (
            {"total": [{"category": {"coding": [{"code": "copay"}]}, "amount": {"value": 1, "currency": "EUR"}}]},
            "currency",
        ),
        ({"patient": {"reference": "https://other.example/Patient/p1"}}, "external_reference"),
        ({"id": "a b"}, "id"),
    ],
)
def test_a_record_that_is_no_processed_r4_claim_is_refused_with_its_reason(
    folder: Path, changes: dict, rule: str
) -> None:
    """RULES 9.2, J18: refused with rule and field, and what stands beside it is taken."""
    batch = take(folder, eob("e0") | changes, eob("e1"))
    assert (counts(batch), rules(batch)) == ({"new": 1, "refused": 1}, [rule])
    assert owed_cents() == 3000


def test_the_coverage_of_another_person_is_refused(folder: Path) -> None:
    """J19: the contained coverage covers somebody else."""
    coverage = {"resourceType": "Coverage", "id": "c", "beneficiary": {"reference": "Patient/p2"}}
    assert rules(take(folder, eob(contained=[coverage]))) == ["other_patient"]


def test_a_claim_of_a_patient_who_is_not_ours_waits_and_bills_nobody(folder: Path) -> None:
    """J19: and it is taken when the patient comes."""
    assert counts(take(folder, eob(patient_id="p2"))) == {"in_review": 1}
    assert not Bill.objects.exists()
    take(folder, patient("p2"))
    assert (open_reviews(), owed_cents()) == ([], 3000)


@pytest.mark.parametrize(
    ("kinds", "subtype", "title"),
    [
        (["institutional"], "inpatient", "Hospital stay"),
        (["institutional"], "outpatient", "Outpatient visit"),
        (["institutional"], None, "Hospital or clinic visit"),
        (["pharmacy"], None, "Prescription"),
        (["oral"], None, "Dental visit"),
        (["vision"], None, "Eye care"),
        (["DME", "institutional"], None, "Medical equipment"),
    ],
)
def test_a_bill_is_called_in_plain_words_by_its_kind(
    folder: Path, kinds: list[str], subtype: str | None, title: str
) -> None:
    """What a member reads first."""
    take(folder, eob(type={"coding": [{"code": k} for k in kinds]}, subType={"coding": [{"code": subtype}]}))
    assert Bill.objects.get().title == title


def test_the_provider_is_named_by_the_resource_that_the_file_carries(folder: Path) -> None:
    """Contained, then of the same run, then how the claim displays it."""
    named = {"resourceType": "Organization", "id": "o1", "name": "Orange Medical Group"}
    doctor = {
        "resourceType": "Practitioner",
        "id": "d1",
        "name": [{"family": "Yee", "given": ["Ada"], "prefix": ["Dr."]}],
    }
    take(
        folder, named, doctor,
        eob("e1", provider={"reference": "Organization/o1", "display": "other"}),
        eob("e2", provider={"reference": "#o2"}, contained=[named | {"id": "o2", "name": "Contained Clinic"}]),
        eob("e3", provider={"reference": "urn:uuid:d1"}),
    )  # fmt: skip
    assert [claim(id).provider_name for id in ("e1", "e2", "e3")] == [
        "Orange Medical Group", "Contained Clinic", "Dr. Ada Yee",
    ]  # fmt: skip
