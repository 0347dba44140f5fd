"""Overview, bills, one bill and premiums: who sees what of them, and what they say (FAULTS F01, F05, F06, I14)."""

import datetime as dt
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from accounts import rate_limits
from accounts.models import Coverage, Delegate, Member
from accounts.visibility import scope_of
from activity.models import Access, Event
from bills import issuing, premiums
from bills.models import Accumulator, Bill
from ledger.templatetags.portal import day_of_year
from payments import overview
from payments.models import Payment, Refund
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate, make_grace, make_many_bills, make_payment

SECRET = "Oncology consultation"
PAGES = ("/overview/", "/bills/", "/premiums/")


def signed_in(member: Member) -> Client:
    client = Client()
    assert member.user is not None
    client.force_login(member.user)
    return client


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


def paths_of(bill: Bill) -> list[str]:
    return [f"/bills/{bill.number}/", f"/bills/{bill.number}/pdf/"]


def test_the_holder_sees_what_the_household_owes(cast: Cast) -> None:
    """Total, medical and premium, each bill with its state, and what is due first."""
    today = timezone.localdate()
    make_bill(cast.maya, amount_cents=18_500, due_on=today - dt.timedelta(days=18))
    make_bill(cast.bob, amount_cents=12_640, due_on=today + dt.timedelta(days=6), title="Laboratory", lines=())
    coverage = make_coverage(cast.alice, cast.bob, cast.maya)
    premiums.issue_ahead(coverage, through=today)
    page = text(signed_in(cast.alice), "/overview/")
    for words in ("Alice", "4410-2297", "3 family members", "$842.16", "$311.40", "$530.76", "18 days past due"):
        assert words in page
    assert page.index("Outpatient visit") < page.index("Laboratory")


def test_the_premium_due_first_is_said_whatever_coverage_it_is_of(cast: Cast) -> None:
    """The sum is of all premiums owed, and so is its day: that of a coverage that ended comes first."""
    today = timezone.localdate()
    make_bill(cast.maya, due_on=today - dt.timedelta(days=90))
    (later,) = premiums.issue_ahead(make_coverage(cast.alice), through=today)
    owed = make_grace(cast.alice).coverage
    Coverage.objects.filter(pk=owed.pk).update(end_on=today - dt.timedelta(days=1))
    page = text(signed_in(cast.alice), "/overview/")
    assert f"Premium, due {day_of_year(today - dt.timedelta(days=20))}" in page and "$1,061.52" in page
    make_payment({bill: bill.balance_cents for bill in owed.bills.all()}, payer=cast.alice.user)
    assert f"Premium, due {day_of_year(later.due_on)}" in text(signed_in(cast.alice), "/overview/")


def test_money_on_its_way_is_not_asked_for_again(cast: Cast) -> None:
    """What is in flight comes off what is due, and is shown for itself."""
    bill = make_bill(cast.maya, amount_cents=18_500)
    make_payment({bill: 5_000}, payer=cast.alice.user, status=PaymentStatus.PROCESSING)
    client = signed_in(cast.alice)
    page = text(client, "/overview/")
    assert "$135.00" in page and "Payments on their way" in page and "$50.00 on its way" in page
    assert "Pay $135.00" in text(client, f"/bills/{bill.number}/")
    rest = make_payment({bill: 13_500}, payer=cast.alice.user, status=PaymentStatus.SUBMITTED)
    page = text(client, f"/bills/{bill.number}/")
    assert rest.amount_cents == 13_500 and "You do not need to pay again" in page and "Payment on its way" in page
    assert f"/pay/?bill={bill.number}" not in page


@pytest.mark.parametrize("path", [*PAGES, "/bills/AAAA-BBBB/", "/bills/AAAA-BBBB/pdf/"])
def test_every_page_asks_for_sign_in(db: None, path: str) -> None:
    """Nobody sees a page of a member's without signing in."""
    answer = Client().get(path)
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/")


def test_a_stranger_gets_404_for_every_address(cast: Cast) -> None:
    """What is not visible does not exist (FAULTS F01)."""
    bill = make_bill(cast.maya)
    coverage = make_coverage(cast.alice)
    client = signed_in(cast.charlie)
    for path in [*paths_of(bill), "/bills/NONE-NONE/", f"/premiums/?coverage={coverage.pk}"]:
        text(client, path, 404)
    assert client.post(f"/bills/{bill.number}/share/", {"share": "yes"}).status_code == 404
    assert client.post(f"/premiums/{coverage.pk}/ahead/", {"through": "2026-12-01"}).status_code == 404
    for path in (*PAGES, f"/bills/?person={cast.maya.pk}"):
        assert bill.number not in text(client, path)


def test_bob_sees_his_own_and_no_more(cast: Cast) -> None:
    """An adult dependant: no row, no name and no amount of the others."""
    his, hers = make_bill(cast.bob, amount_cents=4_200), make_bill(cast.alice, amount_cents=77_700)
    client = signed_in(cast.bob)
    for path in ("/overview/", "/bills/"):
        page = text(client, path)
        assert his.number in page and hers.number not in page
        assert "Maya" not in page and "Alice" not in page and "$777.00" not in page and "$819.00" not in page
    for path in paths_of(hers):
        text(client, path, 404)


def test_a_confidential_member_leaves_no_trace_with_the_holder(cast: Cast) -> None:
    """No row, no name, no amount, no sum and no bar that tells of it; and sharing one bill shows that one (F06)."""
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    shared, kept = make_bill(cast.bob, amount_cents=4_200), make_bill(cast.bob, amount_cents=9_900, title=SECRET)
    make_payment({kept: 1_900}, payer=cast.bob.user)
    coverage = make_coverage(cast.alice, cast.bob, cast.maya)
    Accumulator.objects.create(
        member=cast.bob, year=timezone.localdate().year, deductible_cents=123_400, out_of_pocket_cents=123_400
    )
    holder, own = signed_in(cast.alice), signed_in(cast.bob)
    for path in (*PAGES, f"/premiums/?coverage={coverage.pk}"):
        page = text(holder, path)
        assert not any(words in page for words in ("Bob", kept.number, shared.number, SECRET, "$80.00", "$1,234"))
    assert "2 family members" in text(holder, "/overview/")
    text(holder, f"/bills/{shared.number}/", 404)

    assert holder.post(f"/bills/{shared.number}/share/", {"share": "yes"}).status_code == 404
    assert own.post(f"/bills/{shared.number}/share/", {"share": "yes"}).status_code == 302
    page = text(holder, "/overview/")
    assert shared.number in page and "$42.00" in page and kept.number not in page
    text(holder, f"/bills/{shared.number}/")
    assert holder.post(f"/bills/{shared.number}/share/", {"share": "no"}).status_code == 404
    assert own.post(f"/bills/{shared.number}/share/", {"share": "no"}).status_code == 302
    text(holder, f"/bills/{shared.number}/", 404)
    assert list(Event.objects.filter(kind__contains="shared").values_list("kind", flat=True).order_by("id")) == [
        "bill.shared", "bill.unshared",
    ]  # fmt: skip


def test_a_pay_only_delegate_sees_amounts_and_dates(cast: Cast) -> None:
    """Nothing of the service; each look is written down (FAULTS N01)."""
    user = make_delegate(cast.maya, "erin@example.com", Delegate.Grant.PAY_ONLY)
    bill = make_bill(cast.maya, title=SECRET, provider_name="Clinic of Hope")
    client = Client()
    client.force_login(user)
    for path in ("/overview/", "/bills/", f"/bills/{bill.number}/"):
        page = text(client, path)
        assert "$185.00" in page and bill.number in page
        assert not any(words in page for words in (SECRET, "Clinic of Hope", "Copayment", "Office visit", "Why this"))
    assert bill.number not in text(client, "/bills/?provider=Hope")
    looks = Access.objects.filter(user=user, member_id=cast.maya.pk).values_list("subject", flat=True).order_by("id")
    assert list(looks) == ["page:overview", "page:bills", f"bill:{bill.number}"]


def test_a_bill_shared_with_the_holder_tells_a_pay_only_delegate_nothing_of_the_service(cast: Cast) -> None:
    """F02: the filter by provider is no oracle; the holder, with whom it is shared, finds it."""
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    user = make_delegate(cast.bob, "erin@example.com", Delegate.Grant.PAY_ONLY)
    bill = make_bill(cast.bob, title=SECRET, provider_name="Clinic of Hope")
    Bill.objects.filter(pk=bill.pk).update(shared_at=timezone.now())
    client = Client()
    client.force_login(user)
    assert bill.number in text(client, "/bills/")
    assert bill.number not in text(client, "/bills/?provider=Hope")
    assert bill.number in text(signed_in(cast.alice), "/bills/?provider=Hope")


def test_documents_are_made_for_one_person_so_many_in_ten_minutes(cast: Cast) -> None:
    """Each costs as much as a hundred pages; pages go on being shown."""
    bill = make_bill(cast.maya)
    client = signed_in(cast.alice)
    assert client.get(f"/bills/{bill.number}/pdf/").status_code == 200
    for _number in range(rate_limits.DOCUMENTS_PER_USER.amount):
        rate_limits.take((rate_limits.DOCUMENTS_PER_USER, str(cast.alice.user.pk)))
    assert client.get(f"/bills/{bill.number}/pdf/").status_code == 429
    assert client.get(f"/bills/{bill.number}/").status_code == 200


def test_a_delegate_who_may_only_look_is_not_offered_to_pay(cast: Cast) -> None:
    """View without pay."""
    user = make_delegate(cast.maya, "erin@example.com", Delegate.Grant.VIEW)
    bill = make_bill(cast.maya)
    client = Client()
    client.force_login(user)
    page = text(client, f"/bills/{bill.number}/")
    assert "Copayment" in page and f"/pay/?bill={bill.number}" not in page


def test_an_ended_grant_ends_at_once(cast: Cast) -> None:
    """In the open session, at the next request (FAULTS F17)."""
    user = make_delegate(cast.maya, "erin@example.com", Delegate.Grant.FULL)
    bill = make_bill(cast.maya)
    client = Client()
    client.force_login(user)
    text(client, f"/bills/{bill.number}/")
    Delegate.objects.create(member=cast.charlie, user=user, grant=Delegate.Grant.PAY_ONLY)
    Delegate.objects.filter(member=cast.maya).update(ended_at=timezone.now())
    text(client, f"/bills/{bill.number}/", 404)
    assert bill.number not in text(client, "/bills/")


def test_a_bill_tells_why_and_everything_that_happened(cast: Cast) -> None:
    """The steps from charge to balance, and the ledger's transfers with the balance after each."""
    bill = make_bill(cast.maya)
    payment = make_payment({bill: 5_000}, payer=cast.alice.user)
    issuing.correct(bill, by_cents=-1_000, key="fix", on=timezone.localdate(), reason="claim corrected")
    page = text(signed_in(cast.alice), f"/bills/{bill.number}/")
    for words in (
        "Oakridge Medical Center charged", "$612.00", "− $272.00", "− $155.00", "Deductible", "Your share",
        "Payments and corrections since", "− $60.00", "+ $185.00", "balance $185.00", payment.number,
        "balance $135.00", "Corrected: your share went down", "balance $125.00", "Partly paid", "Paid so far",
    ):  # fmt: skip
        assert words in page, words


def test_a_void_bill_and_a_bill_under_review_say_so(cast: Cast) -> None:
    """Neither is past due, and a void one cannot be paid."""
    late = timezone.localdate() - dt.timedelta(days=40)
    void, held = make_bill(cast.maya, due_on=late), make_bill(cast.maya, due_on=late)
    issuing.void(void, on=timezone.localdate(), reason="wrong", actor="staff")
    Bill.objects.filter(pk=held.pk).update(held_since=timezone.now())
    client = signed_in(cast.alice)
    page = text(client, f"/bills/{void.number}/")
    assert "Void" in page and "nothing to pay" in page and f"/pay/?bill={void.number}" not in page
    page = text(client, f"/bills/{held.number}/")
    assert "Under review" in page and "We are checking this bill" in page and "past due" not in page


@pytest.mark.parametrize(
    "words",
    [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; DROP TABLE bills_bill; --",
        "{{ 7|add:7 }}{% now 'Y' %}", "javascript:alert(1)", "</title><svg/onload=alert(1)>",
        "O’Brien 👩‍👩‍👧‍👦 שלום مرحبا é", "x" * 100, "=HYPERLINK(\"http://x\")",
    ],
)  # fmt: skip
def test_what_others_wrote_is_inert(cast: Cast, words: str) -> None:
    """Names, titles and providers of any content are shown as they are, escaped, in page and PDF (I13, I14)."""
    Member.objects.filter(pk=cast.maya.pk).update(first_name=words, last_name=words)
    cast.maya.refresh_from_db()
    line = issuing.Line(description=words, amount_cents=18_500, charged_cents=18_500)
    bill = make_bill(cast.maya, title=words, provider_name=words, lines=(line,))
    client = signed_in(cast.alice)
    for path in ("/overview/", "/bills/", f"/bills/{bill.number}/"):
        page = text(client, path)
        assert "<script>alert" not in page and "<img src=x" not in page and "<svg/onload" not in page
        assert "7|add" in page if "7|add" in words else "14" not in words
    assert client.get(f"/bills/{bill.number}/pdf/").content.startswith(b"%PDF-")


def test_queries_do_not_grow_with_the_household(cast: Cast) -> None:
    """The same few queries for 10 bills and for 1,000 (BENCH pages); the overview has at most twelve."""
    client = signed_in(cast.alice)
    coverage = make_coverage(cast.alice, cast.bob, cast.maya)
    premiums.issue_ahead(coverage, through=timezone.localdate())
    bill = make_bill(cast.maya)
    make_payment({bill: 500}, payer=cast.alice.user)
    paths = [*PAGES, f"/bills/{bill.number}/", "/bills/?state=past_due", f"/bills/?person={cast.maya.pk}"]
    make_many_bills(cast.maya, 10)
    few = {path: _queries(client, path) for path in paths}
    make_many_bills(cast.maya, 1_000)
    assert {path: _queries(client, path) for path in paths} == few
    assert few["/overview/"] <= 12
    assert max(few.values()) <= 26  # a bill: its check, holds, plan, autopay, help and documents beside it


def _queries(client: Client, path: str) -> int:
    text(client, path)
    with CaptureQueriesContext(connection) as captured:
        text(client, path)
    assert not [query for query in captured if "COUNT(" in query["sql"]]
    return len(captured)


def test_nobody_else_sees_how_others_look_at_the_page(cast: Cast) -> None:
    """No copy of a member's page in a cache (FAULTS M09)."""
    bill = make_bill(cast.maya)
    client = signed_in(cast.alice)
    for path in (*PAGES, *paths_of(bill)):
        assert "no-store" in client.get(path).headers["Cache-Control"]


def test_a_pdf_can_be_read_aloud(cast: Cast) -> None:
    """Tagged, with title and language (PDF/UA-1), and names of any script are in it."""
    Member.objects.filter(pk=cast.maya.pk).update(first_name="Zoë 👩‍👧 שלום")
    cast.maya.refresh_from_db()
    bill = make_bill(cast.maya)
    answer = signed_in(cast.alice).get(f"/bills/{bill.number}/pdf/")
    body = answer.content
    assert answer.headers["Content-Type"] == "application/pdf" and bill.number in answer.headers["Content-Disposition"]
    document = PdfReader(io.BytesIO(body))
    root = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/StructTreeRoot"] and root["/Lang"] == "en"
    assert document.metadata.title == f"Bill {bill.number}" and b"pdfuaid" in root["/Metadata"].get_data()
    words = document.pages[0].extract_text().replace("\0", "")
    assert "$185.00" in words and "Zoë" in words and "Copayment" in words


def test_the_help_page_is_for_everybody(db: None) -> None:
    """How to reach Member Services, without signing in."""
    page = text(Client(), "/help/")
    assert "1-800-555-0100" in page and "TTY 711" in page


def test_the_front_door_leads_to_the_overview(db: None) -> None:
    """And from there to sign in."""
    answer = Client().get("/", follow=True)
    assert answer.redirect_chain[0] == ("/overview/", 302) and "/accounts/login/" in answer.redirect_chain[1][0]


def test_the_language_can_be_switched(cast: Cast) -> None:
    """By a button on every page, which comes back to the same page."""
    client = signed_in(cast.alice)
    answer: Any = client.post("/settings/language/", {"language": "es", "next": "/help/"})
    assert answer.headers["Location"] == "/help/"
    assert '<html lang="es">' in text(client, "/help/")


def test_what_was_paid_is_shown_by_month_less_refunds(cast: Cast) -> None:
    """Six months, a chart with its table; of a partly refunded payment what was kept; nothing that failed."""
    today = timezone.localdate()
    first, second = make_bill(cast.maya, amount_cents=20_000), make_bill(cast.alice, amount_cents=30_000)
    make_payment({first: 11_100, second: 22_200}, payer=cast.alice.user, on=today)
    kept = make_payment({second: 5_000}, payer=cast.alice.user, on=overview.months_back(today, 2))
    Payment.objects.filter(pk=kept.pk).update(status=PaymentStatus.PARTIALLY_REFUNDED)
    Refund.objects.create(payment=kept, bill=second, amount_cents=1_500, status=Refund.Status.SUCCEEDED)
    Refund.objects.create(payment=kept, bill=second, amount_cents=700, status=Refund.Status.FAILED)
    make_payment({first: 4_400}, payer=cast.alice.user, status=PaymentStatus.FAILED)
    make_payment({first: 6_600}, payer=cast.alice.user, on=overview.months_back(today, 7))
    make_payment({make_bill(cast.charlie): 9_900}, payer=cast.charlie.user)
    paid = overview.paid_by_month(scope_of(cast.alice.user), today=today)
    assert list(paid.values()) == [0, 0, 0, 3_500, 0, 33_300]
    assert list(overview.paid_by_month(scope_of(cast.bob.user), today=today).values()) == [0] * 6
    page = text(signed_in(cast.alice), "/overview/")
    assert "$333" in page and "$333.00" in page and "$35.00" in page and 'role="img"' in page
