"""The pages of claims: who sees which, what they say, and their versions."""

import datetime as dt
import io

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from accounts.models import Delegate, Member, User
from activity.models import Access
from bills.models import Claim, ClaimLine
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.pages import signed_in, text_of


def make_claim(member: Member, number: str = "CLM-1", **fields: object) -> Claim:
    """A claim of $612.00, of which $185.00 are the member's."""
    given: dict[str, object] = {
        "kind": "professional", "provider_name": "Oakridge Medical Center", "service_on": dt.date(2026, 10, 14),
        "processed_on": dt.date(2026, 10, 20), "billed_cents": 61_200, "allowed_cents": 34_000,
        "discount_cents": 27_200, "plan_paid_cents": 15_500, "deductible_cents": 12_500, "copay_cents": 6_000,
        "member_owes_cents": 18_500, "source_version": "1",
    }  # fmt: skip
    count = Claim.objects.count()
    claim = Claim.objects.create(
        number=number, member=member, household=member.household, source="test", source_id=f"claim-{count}",
        **(given | fields),
    )  # fmt: skip
    ClaimLine.objects.create(
        claim=claim, position=1, description="Office visit, established patient", billed_cents=61_200,
        allowed_cents=34_000, plan_paid_cents=15_500, deductible_cents=12_500, copay_cents=6_000,
    )  # fmt: skip
    return claim


def test_a_claim_tells_who_bore_what_and_what_the_words_mean(cast: Cast) -> None:
    bill = make_bill(cast.maya)
    make_claim(cast.maya, bill=bill)
    page = text_of(signed_in(cast.alice).get("/claims/CLM-1/"))
    for told in (
        "Oakridge Medical Center charged $612.00", "Your plan’s discount − $272.00", "Your plan paid − $155.00",
        "Deductible Your part before the plan begins to pay $125.00", "You owe $185.00", "This is not a bill.",
        f"Bill {bill.number}", "Office visit, established patient",
        "What you pay yourself each year before your plan begins to pay.",
    ):  # fmt: skip
        assert told in page
    assert "Your percentage of the allowed amount" not in page  # no coinsurance on it, so it is not explained


def test_a_billers_row_does_not_say_that_the_plan_has_worked_it_out(cast: Cast) -> None:
    """It is from the provider, has nothing to explain, and gives way to the plan's claim of its number."""
    row = make_claim(cast.alice, "55-1", bill=make_bill(cast.alice), kind="invoice", provider_name="Elm Clinic")
    alice = signed_in(cast.alice)
    for path in ("/claims/55-1/", f"/claims/55-1/?version={row.pk}"):
        page = text_of(alice.get(path))
        assert "It is no claim that your plan has worked out." in page and "From the provider" in page
        assert "Your plan has worked out this claim" not in page and "Processed" not in page and "(PDF)" not in page
    assert alice.get("/claims/55-1/pdf/").status_code == 404
    assert "Elm Clinic" not in text_of(alice.get("/documents/?year=2026"))
    make_claim(cast.alice, "CLM-2")
    page = text_of(alice.get("/claims/?kind=provider"))
    assert "55-1" in page and "CLM-2" not in page and "Processed" not in page.partition("Clear")[2]
    make_claim(cast.alice, "55-1", status=Claim.Status.OPEN)
    assert "not decided this claim yet" in text_of(alice.get("/claims/55-1/"))


def test_the_list_is_narrowed_and_paged(cast: Cast) -> None:
    """F02: a person that the viewer does not see narrows nothing, and is told."""
    for day in range(1, 28):
        make_claim(cast.maya, f"MAYA-{day:02}", service_on=dt.date(2026, 3, day))
    make_claim(cast.bob, "BOB-1", kind="pharmacy", service_on=dt.date(2025, 3, 1))
    make_claim(cast.charlie, "CHARLIE-1")
    alice = signed_in(cast.alice)
    first = alice.get("/claims/")
    assert "MAYA-27" in text_of(first)
    assert "MAYA-02" not in text_of(first)
    later = alice.get("/claims/" + first.context["next"])
    assert "MAYA-02" in text_of(later)
    assert "BOB-1" in text_of(later)
    for query, seen in (
        (f"person={cast.bob.pk}", "BOB-1"), ("kind=pharmacy", "BOB-1"), ("year=2025", "BOB-1"),
    ):  # fmt: skip
        page = text_of(alice.get(f"/claims/?{query}"))
        assert seen in page
        assert "MAYA" not in page
    strangers = alice.get(f"/claims/?person={cast.charlie.pk}")
    assert strangers.status_code == 422
    assert "CHARLIE" not in text_of(strangers)
    assert "No claim matches" in text_of(alice.get("/claims/?year=2020"))


def test_a_corrected_claim_is_shown_with_what_it_replaced(cast: Cast) -> None:
    old = make_claim(cast.maya, status="replaced", member_owes_cents=25_000)
    make_claim(cast.maya, replaces=old)
    alice = signed_in(cast.alice)
    page = text_of(alice.get("/claims/CLM-1/"))
    assert "Your share $185.00" in page
    assert "your share $250.00" in page
    before = text_of(alice.get(f"/claims/CLM-1/?version={old.pk}"))
    assert "another has taken its place" in before
    for wrong in ("x", "-1", "9" * 30, "١"):
        assert alice.get("/claims/CLM-1/", {"version": wrong}).status_code == 404


def test_only_who_sees_the_services_sees_the_claim(cast: Cast) -> None:
    """F06: not Charlie, not a pay-only delegate, and of a confidential member not the holder."""
    mine = make_claim(cast.bob)
    delegate = User.objects.create_user("pays@example.com")
    Delegate.objects.create(member=cast.bob, user=delegate, grant="pay_only")
    payer = Client()
    payer.force_login(delegate)
    for client in (payer, signed_in(cast.charlie)):
        assert client.get("/claims/CLM-1/").status_code == 404
        assert client.get("/claims/CLM-1/pdf/").status_code == 404
        assert "CLM-1" not in text_of(client.get("/claims/"))
    assert signed_in(cast.alice).get("/claims/CLM-1/").status_code == 200
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    assert signed_in(cast.alice).get("/claims/CLM-1/").status_code == 404
    for path in (f"/claims/CLM-1/?version={mine.pk}", "/claims/CLM-1/pdf/", f"/claims/CLM-1/pdf/?version={mine.pk}"):
        assert signed_in(cast.alice).get(path).status_code == 404
    assert "CLM-1" not in text_of(signed_in(cast.alice).get("/claims/"))
    assert signed_in(cast.bob).get("/claims/CLM-1/").status_code == 200


def test_a_delegates_look_is_written_down(cast: Cast) -> None:
    """N01."""
    claim = make_claim(cast.bob)
    delegate = User.objects.create_user("views@example.com")
    Delegate.objects.create(member=cast.bob, user=delegate, grant="view")
    client = Client()
    client.force_login(delegate)
    for count, path in enumerate(("/claims/CLM-1/", "/claims/CLM-1/pdf/"), start=1):
        assert client.get(path).status_code == 200
        looks = Access.objects.filter(user=delegate, subject=f"claim:{claim.pk}", member_id=cast.bob.pk)
        assert looks.count() == count


def test_a_number_with_any_sign_has_an_address(cast: Cast) -> None:
    """A payer's numbers are its own: slashes and blanks too."""
    make_claim(cast.maya, "2026/10 A#1")
    alice = signed_in(cast.alice)
    page = alice.get("/claims/")
    assert "/claims/2026/10%20A%231/" in page.content.decode()
    assert alice.get("/claims/2026/10%20A%231/").status_code == 200
    assert alice.get("/claims/2026/10%20A%231/pdf/").headers["Content-Type"] == "application/pdf"


def words_of(answer: HttpResponse) -> str:
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).replace("\0", "").split())


def test_the_explanation_of_benefits_is_a_pdf_that_can_be_read_aloud(cast: Cast) -> None:
    """Tagged, with title and language (PDF/UA-1), in the words of the claim's page."""
    make_claim(cast.maya)
    alice = signed_in(cast.alice)
    assert 'href="/claims/CLM-1/pdf/"' in alice.get("/claims/CLM-1/").content.decode()
    answer = alice.get("/claims/CLM-1/pdf/")
    assert answer.headers["Content-Type"] == "application/pdf"
    document = PdfReader(io.BytesIO(answer.content))
    root = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/StructTreeRoot"] and root["/Lang"] == "en"
    assert document.metadata.title == "Explanation of benefits, claim CLM-1"
    assert b"pdfuaid" in root["/Metadata"].get_data()
    told = words_of(answer)
    for words in (
        "This is not a bill.", "Oakridge Medical Center", "Maya", "$612.00", "$340.00", "$155.00", "$185.00",
        "Office visit, established patient", "What you pay yourself each year before your plan begins to pay.",
        "how to appeal", "1-800-555-0100",
    ):  # fmt: skip
        assert words in told, words
    cast.alice.user.language = "es"
    cast.alice.user.save()
    spanish = signed_in(cast.alice).get("/claims/CLM-1/pdf/", headers={"Accept-Language": "es"})
    assert PdfReader(io.BytesIO(spanish.content)).trailer["/Root"]["/Lang"] == "es"
    assert "Esto no es una factura" in words_of(spanish)


@pytest.mark.parametrize(
    ("status", "told"),
    [("open", "has not decided this claim yet"), ("canceled", "was canceled"), ("replaced", "another has taken")],
)
def test_an_explanation_says_that_the_claim_does_not_count(cast: Cast, status: str, told: str) -> None:
    claim = make_claim(cast.maya, status=status)
    assert told in words_of(signed_in(cast.alice).get(f"/claims/CLM-1/pdf/?version={claim.pk}"))
