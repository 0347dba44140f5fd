"""Claims of what somebody may consent to themself go to their private side, whatever comes first (FAULTS F14)."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Member
from accounts.visibility import scope_of
from activity.models import WorkItem
from bills.imports import labels
from bills.models import Accumulator, Bill, Claim, ImportBatch, ImportReject, Statement
from payments import guest_links, guests, monthly_statements
from payments.models import GuestLink
from tests.accounts.private import private_side_of
from tests.bills.importing import Json, book_holds, claim, counts, eob, later, owes, take
from tests.bills.test_import_csv import HEADER
from tests.bills.test_import_csv import take as take_rows
from tests.conftest import Cast
from tests.factories import make_payment


@pytest.fixture
def folder(cast: Cast, tmp_path: Path) -> Path:
    """The cast as the source knows it; Maya is thirteen, of a household in California."""
    for member in (cast.alice, cast.bob, cast.maya):
        Member.objects.filter(pk=member.pk).update(source="fhir", source_id=f"Patient/{member.first_name.lower()}")
    Member.objects.filter(pk=cast.maya.pk).update(birth_date=dt.date(2013, 3, 4))
    return tmp_path


def labelled(resource: Json, *codes: str) -> Json:
    meta = resource["meta"] | {"security": [{"code": code} for code in codes]}
    return resource | {"meta": meta}


def take_csv(folder: Path, row: str, more: str = "") -> ImportBatch:
    return take_rows(folder, f"{HEADER},{more}".rstrip(","), row)


def of(member: Member) -> tuple[int, int]:
    """How many claims and bills that are not void stand with a member."""
    return (
        Claim.objects.filter(member=member).count(),
        Bill.objects.filter(member=member, voided_at__isnull=True).count(),
    )


def owed(member: Member) -> int:
    return Member.objects.select_related("medical_control").get(pk=member.pk).medical_control.balance_cents


def side(member: Member) -> Member:
    return Member.objects.get(private_of=member)


def test_a_labelled_claim_and_its_bill_stand_on_the_private_side(cast: Cast, folder: Path) -> None:
    take(folder, eob("plain", "maya"), labelled(eob("own", "maya"), "PSY"), labelled(eob("his", "bob"), "ETH"))
    assert of(cast.maya) == of(side(cast.maya)) == of(side(cast.bob)) == (1, 1)
    assert owed(cast.maya) == owed(side(cast.maya)) == 3000
    assert Accumulator.objects.get(member=side(cast.maya)).out_of_pocket_cents == 3000
    seen = Bill.objects.visible_to(cast.alice.user)
    assert {bill.member_id for bill in seen} == {cast.maya.pk}
    assert side(cast.bob).pk in scope_of(cast.bob.user).own_ids
    assert book_holds()


def test_one_sensitive_line_makes_the_claim_private(cast: Cast, folder: Path) -> None:
    claim = eob("own", "maya", items=[{}, {}])
    url = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"
    claim["item"][1]["extension"] = [{"url": url, "valueCoding": {"code": "STD"}}]
    other = eob("other", "maya")
    other["item"][0]["extension"] = [{"url": "https://bluebutton.cms.gov/x", "valueCoding": {"code": "R"}}]
    take(folder, claim, other)
    assert of(side(cast.maya)) == of(cast.maya) == (1, 1)


def test_a_holders_or_a_small_childs_stays_where_it_is(cast: Cast, folder: Path) -> None:
    Member.objects.filter(pk=cast.maya.pk).update(birth_date=dt.date(2014, 3, 5))  # twelve tomorrow, on 5 March 2026
    take(folder, labelled(eob("hers", "alice"), "PSY"), labelled(eob("small", "maya"), "PSY"))
    assert of(cast.alice) == of(cast.maya) == (1, 1)
    assert not Member.objects.filter(private_of__isnull=False).exists()
    Member.objects.filter(pk=cast.maya.pk).update(birth_date=dt.date(2014, 3, 4))
    take(folder, labelled(eob("own", "maya"), "R"))
    assert of(side(cast.maya)) == (1, 1)


def test_what_follows_without_a_label_stays_there(cast: Cast, folder: Path) -> None:
    take(folder, labelled(eob("own", "maya"), "SUD"))
    assert counts(take(folder, owes(eob("own", "maya"), 45))) == {"changed": 1}
    prior = {"relationship": {"coding": [{"code": "prior"}]}, "claim": {"reference": "ExplanationOfBenefit/own"}}
    take(folder, later(eob("new", "maya"), 6, related=[prior]))
    take_csv(folder, f"b1,{cast.maya.number},2026-03-04,Visit,12.00,CLM-own,", more="claim_number,sensitivity")
    assert of(cast.maya) == (0, 0)
    assert of(side(cast.maya)) == (3, 2)
    assert owed(cast.maya) == 0 and book_holds()


def test_a_label_that_comes_later_brings_the_claim_over(cast: Cast, folder: Path) -> None:
    take(folder, eob("own", "maya"))
    take_csv(folder, f"b1,{cast.maya.number},2026-03-04,Visit,12.00,CLM-own,", more="claim_number,sensitivity")
    assert of(cast.maya) == (2, 2)
    assert counts(take(folder, labelled(later(eob("own", "maya")), "PSY"))) == {"changed": 1}
    assert of(cast.maya) == (0, 0) and not Bill.objects.filter(member=cast.maya).exists()
    assert of(side(cast.maya)) == (2, 2)
    assert (owed(cast.maya), owed(side(cast.maya))) == (0, 4200)
    assert not Accumulator.objects.get(member=cast.maya).out_of_pocket_cents
    assert Claim.objects.get(number="CLM-own", source="fhir").bill.balance_cents == 3000  # type: ignore[union-attr]
    assert counts(take(folder, owes(eob("own", "maya"), 45, month=6))) == {"changed": 1}
    assert owed(side(cast.maya)) == 5700 and book_holds()


def test_what_was_paid_before_goes_there_with_its_account(cast: Cast, folder: Path) -> None:
    take(folder, eob("own", "maya"))
    bill = Bill.objects.get(member=cast.maya)
    make_payment({bill: 1000}, payer=cast.alice.user)
    take(folder, labelled(later(eob("own", "maya")), "PSY"))
    assert of(side(cast.maya)) == (1, 1) and of(cast.maya) == (0, 0)
    assert not Bill.objects.visible_to(cast.alice.user).exists()
    assert WorkItem.objects.filter(subject=f"bill:{bill.number}", done_at__isnull=True).exists()
    assert (owed(cast.maya), owed(side(cast.maya))) == (0, 2000)
    assert counts(take(folder, owes(eob("own", "maya"), 45, month=6))) == {"changed": 1}
    assert (owed(cast.maya), owed(side(cast.maya))) == (0, 3500)
    assert counts(take(folder, owes(eob("own", "maya"), 5, month=7))) == {"in_review": 1}  # it would make credit
    assert ImportReject.objects.get().rule == "private_and_paid"
    assert book_holds()


def test_the_next_statement_of_the_holder_begins_without_it(cast: Cast, folder: Path) -> None:
    """What an issued one said stays told; of the next, no row and no sum."""
    take(folder, eob("own", "maya"), eob("plain", "maya"))
    bill = claim("own").bill
    assert bill is not None
    make_payment({bill: 1000}, payer=cast.alice.user)
    month = timezone.localdate().replace(day=1)
    following = [(month + dt.timedelta(days=days)).replace(day=1) for days in (32, 63)]
    monthly_statements.issue(month, on=following[0])
    take(folder, labelled(later(eob("own", "maya")), "PSY"))
    monthly_statements.issue(following[0], on=following[1])
    first, second = Statement.objects.filter(member=None).order_by("month")
    assert bill.number in str(first.content) and bill.number not in str(second.content)
    assert (first.balance_cents, second.previous_cents, second.balance_cents) == (5000, 3000, 3000)
    assert Statement.objects.get(member=side(cast.maya)).balance_cents == 2000


def test_who_had_seen_it_does_not_find_it_as_a_guest(cast: Cast, folder: Path) -> None:
    private_side_of(cast.maya)  # it stands already: the bill is younger
    take(folder, eob("own", "maya"))
    bill = Bill.objects.get(member=cast.maya)
    name = guests.folded(cast.maya.last_name)
    facts = {"bill_number": bill.number, "birth_date": "2013-03-04", "zip": cast.household.zip, "last_name": name}
    make_payment({bill: 1000}, payer=cast.alice.user)
    guest_links.ensure(bill, GuestLink.Purpose.STATEMENT, user_id=cast.alice.user_id or 0)
    assert guests.find(facts) == bill.pk and GuestLink.objects.live(timezone.now()).exists()
    take(folder, labelled(later(eob("own", "maya")), "PSY"))
    assert guests.find(facts) is None
    assert not GuestLink.objects.live(timezone.now()).exists()


def test_a_row_names_its_kinds_and_an_unknown_word_is_refused(cast: Cast, folder: Path) -> None:
    row = f"b1,{cast.maya.number},2026-03-04,Visit,12.00"
    batch = take_csv(folder, f"{row},psych", more="sensitivity")
    reject = batch.rejects.get()
    assert (reject.field, reject.rule, reject.line) == ("sensitivity", "sensitivity", 2)
    assert not Bill.objects.exists()
    take_csv(folder, f"{row},STI mental_health", more="sensitivity")
    assert of(side(cast.maya)) == (1, 1)


def test_a_row_without_a_label_is_the_same_as_before_there_was_such_a_column(cast: Cast, folder: Path) -> None:
    row = f"b1,{cast.maya.number},2026-03-04,Visit,12.00"
    take_csv(folder, row)
    assert counts(take_csv(folder, f"{row},", more="sensitivity")) == {"same": 1}


@pytest.mark.parametrize("wrong", [None, "R", {"security": "R"}, {"security": [None, {"code": 3}, {"code": "N"}]}])
def test_labels_that_are_none_say_nothing(wrong: Any) -> None:
    assert labels.of_resource({"meta": wrong}) == frozenset()


def test_a_private_side_is_found_by_no_number_of_a_file(cast: Cast, folder: Path) -> None:
    number = private_side_of(cast.maya).number
    batch = take_csv(folder, f"b1,{number},2026-03-04,Visit,12.00")
    assert batch.rejects.get().rule == "member_unknown"
