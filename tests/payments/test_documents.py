"""The documents and the pack of a year: it adds up to the book, hides whom it must, and is inert in a spreadsheet."""

import csv
import datetime as dt
import io
import time
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import ledger
from accounts.models import Member
from accounts.visibility import scope_of
from bills import issuing
from bills.models import Bill, Claim
from ledger import Posting
from ledger.chart import CREDIT, MOVEMENTS, RECEIVABLE, Code, SystemAccount
from ledger.models import Transfer
from ledger.opening import system_id
from payments import monthly_statements, papers, tax_pack
from payments.eligibility import NOT_CARE
from payments.statement_sums import PAYMENTS
from tests.accounts.private import private_side_of
from tests.bills.test_claim_pages import make_claim
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate, make_payment
from tests.payments.pages import signed_in, text_of


def bill_of(member: Member, cents: int = 18_500, **more: str) -> Bill:
    """A bill of this autumn."""
    return make_bill(member, amount_cents=cents, issued_on=dt.date(2026, 10, 5), due_on=dt.date(2026, 11, 5), **more)


def proven(member: Member) -> Client:
    """A browser whose reader has just proved who it is (FAULTS H16)."""
    client = signed_in(member)
    session = client.session
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()
    return client


def rows(client: Client, query: str = "year=2026") -> list[list[str]]:
    """The CSV, without its header."""
    answer = client.get(f"/documents/pack/csv/?{query}")
    assert answer.status_code == 200, answer
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))[1:]


def cents(text: str) -> int:
    """US cents of a cell; brackets are below nothing."""
    value = round(float(text.strip("()")) * 100)
    return -value if text.startswith("(") else value


def test_the_pack_adds_up_to_the_book_to_the_cent(cast: Cast) -> None:
    """Payments, checks and what came back, of everybody the holder sees, against the ledger's own sum."""
    first, second = bill_of(cast.alice), bill_of(cast.bob, 9_999)
    make_payment({first: 10_001, second: 9_999}, payer=cast.alice.user, on=dt.date(2026, 10, 20))
    make_payment({first: 8_499}, payer=cast.alice.user, on=dt.date(2026, 12, 31))
    make_payment({bill_of(cast.maya): 100}, payer=cast.alice.user, on=dt.date(2025, 12, 31))
    issuing.correct(first, by_cents=-1_500, key="lowered", on=dt.date(2026, 12, 31), reason="x")
    book = 0
    for transfer in Transfer.objects.filter(owner_id=cast.household.pk, code__in=PAYMENTS, effective_on__year=2026):
        is_paid = Bill.objects.filter(receivable_id=transfer.credit_id).exists()
        book += transfer.amount_cents if is_paid else -transfer.amount_cents
    found = rows(proven(cast.alice))
    assert sum(cents(row[8]) for row in found) == book == 26_999
    assert [row[6] for row in found].count("Came back") == 1
    assert sum(cents(row[7]) for row in found) == 2 * 15_500  # what the plan paid stands once a bill


def test_a_payment_is_of_the_year_of_the_members_date(cast: Cast) -> None:
    """31 December 23:59 Pacific is the old year's (FAULTS E27)."""
    make_payment({bill_of(cast.alice): 100}, on=dt.date(2025, 12, 31))
    scope = scope_of(cast.alice.user)
    assert [tax_pack.of(scope, year=year).paid_cents for year in (2025, 2026)] == [100, 0]


def test_one_person_alone_and_nobody_hidden(cast: Cast) -> None:
    """FAULTS F06, K02: no row of a confidential member to the holder; a stranger's year is empty."""
    make_payment({bill_of(cast.bob, 3_333): 3_333}, payer=cast.bob.user, on=dt.date(2026, 10, 20))
    make_payment({bill_of(cast.maya, 2_222): 2_222}, payer=cast.alice.user, on=dt.date(2026, 10, 21))
    assert [row[8] for row in rows(proven(cast.alice), f"year=2026&person={cast.maya.pk}")] == ["22.22"]
    assert [row[8] for row in rows(proven(cast.alice))] == ["33.33", "22.22"]
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    assert [row[8] for row in rows(proven(cast.alice))] == ["22.22"]
    assert [row[8] for row in rows(proven(cast.bob))] == ["33.33"]
    assert rows(proven(cast.charlie)) == []


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "\t=1", "＝1", ' "=1'])  # noqa: RUF001
def test_no_cell_is_a_formula(cast: Cast, name: str) -> None:
    """FAULTS K01: a provider's name that a spreadsheet would run is text."""
    make_payment({bill_of(cast.alice, provider_name=name): 100}, on=dt.date(2026, 10, 20))
    [row] = rows(proven(cast.alice))
    assert row[2] == f"'{name}"


def test_what_is_eligible_is_what_the_irs_says(cast: Cast) -> None:
    """RULES 2: medical yes; COBRA for an HSA, a family plan's premium not, Medigap never. Of interest: below."""
    make_payment({bill_of(cast.alice, 10_000): 10_000}, on=dt.date(2026, 10, 20))
    for kind in ("cobra", "family", "medigap"):
        premium = issuing.issue(
            member=cast.alice, kind=Bill.Kind.PREMIUM, amount_cents=5_000, title="Premium", source="test",
            source_id=kind, issued_on=dt.date(2026, 10, 1), due_on=dt.date(2026, 11, 1),
            coverage=make_coverage(cast.alice, kind=kind), period=dt.date(2026, 11, 1),
        )  # fmt: skip
        make_payment({premium: 5_000}, on=dt.date(2026, 10, 21))
    found = {(row[11], row[10]) for row in rows(proven(cast.alice))}
    assert found == {("HSA, FSA", "100.00"), ("HSA", "50.00"), ("HSA only in a few cases", "0.00"), ("No", "0.00")}


WHEN = {2026: dt.date(2026, 12, 1), 2027: dt.date(2027, 1, 10)}
PAID, RETURNED, CREDITED = Code.PAYMENT, Code.BANK_RETURN, Code.CREDIT_RAISED
WAIVED = Code.FINANCE_CHARGE_WAIVED
# What happens to a bill of $100 with $25 of interest, year by year, and what of it is eligible, row by row.
COURSES: dict[str, tuple[list[tuple[int, Code, int]], dict[int, list[int]]]] = {
    "interest of one year counts once": (
        [(2026, PAID, 6_000), (2027, PAID, 6_500)],
        {2026: [3_500], 2027: [6_500]},
    ),
    "a payment that was returned gives its interest back": (
        [(2026, PAID, 12_500), (2026, RETURNED, 12_500)],
        {2026: [10_000, -10_000]},
    ),
    "and is paid again the year after": (
        [(2026, PAID, 12_500), (2027, RETURNED, 12_500), (2027, PAID, 12_500)],
        {2026: [10_000], 2027: [-10_000, 10_000]},
    ),
    "what is refunded in part was paid for care": (
        [(2026, PAID, 12_500), (2027, Code.REFUND, 3_000)],
        {2026: [10_000], 2027: [-3_000]},
    ),
    "interest taken off after it was paid was for care": (
        [(2026, PAID, 6_000), (2027, WAIVED, 2_500), (2027, PAID, 4_000)],
        {2026: [3_500], 2027: [2_500, 4_000]},
    ),
    "and where care was paid already it comes back": (
        [(2026, PAID, 12_500), (2027, CREDITED, 2_500), (2027, WAIVED, 2_500)],
        {2026: [10_000], 2027: [-2_500, 2_500]},
    ),
    "a fee that comes after a payment is of the next": (
        [(2026, PAID, 10_000), (2026, Code.RETURN_FEE, 1_000), (2027, PAID, 3_500)],
        {2026: [7_500], 2027: [2_500]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("course", COURSES)
def test_interest_is_no_care_whatever_is_paid_and_comes_back_when(cast: Cast, course: str) -> None:
    """All the years together are the care that was paid and stayed, by sums of the book that walk nothing."""
    bill = bill_of(cast.alice, 10_000)
    happened, eligible = COURSES[course]
    for number, (year, code, cents) in enumerate([(2026, Code.FINANCE_CHARGE, 2_500), *happened]):
        post_entry(bill, code, cents, on=WHEN[year], key=f"entry:{number}")
    scope = scope_of(cast.alice.user)
    packs = {year: tax_pack.of(scope, year=year) for year in WHEN}
    assert {year: [row.eligible_cents for row in pack.rows] for year, pack in packs.items() if pack.rows} == eligible
    paid, beside = net_in_book(bill, PAYMENTS), -net_in_book(bill, NOT_CARE)
    assert sum(pack.paid_cents for pack in packs.values()) == paid
    assert sum(pack.eligible_cents for pack in packs.values()) == paid - min(paid, beside)
    assert [pack.plan_paid_cents for pack in packs.values()] == [15_500, 0]  # where it was first paid


def post_entry(bill: Bill, code: Code, cents: int, *, on: dt.date, key: str) -> None:
    """An entry of the bill's account, by the chart of movements."""

    def account(roles: tuple[str, ...]) -> int:
        if RECEIVABLE in roles:
            return bill.receivable_id
        return bill.household.credit_id or 0 if CREDIT in roles else system_id(SystemAccount(roles[0]))

    movement = MOVEMENTS[code]
    ledger.post(
        Posting(
            debit_id=account(movement.debit), credit_id=account(movement.credit), amount_cents=cents, code=code,
            key=key, reference="test", effective_on=on, owner_id=bill.household_id,
        )
    )  # fmt: skip


def net_in_book(bill: Bill, codes: Sequence[Code]) -> int:
    """What the bill's account was credited by entries of these codes, less what it was debited, US cents."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(sum(CASE WHEN credit_id = %(account)s THEN amount_cents ELSE -amount_cents END), 0)
               FROM ledger_transfer WHERE %(account)s IN (debit_id, credit_id) AND code = ANY(%(codes)s)""",
            {"account": bill.receivable_id, "codes": [int(code) for code in codes]},
        )
        return int(cursor.fetchone()[0])


def test_the_list_has_statements_and_receipts_by_year_and_person(cast: Cast) -> None:
    """And says what to do where there is nothing; a search narrows it."""
    payment = make_payment({bill_of(cast.maya): 500}, payer=cast.alice.user, on=dt.date(2026, 10, 20))
    monthly_statements.issue(dt.date(2026, 10, 1), on=dt.date(2026, 11, 2))
    client = signed_in(cast.alice)
    page = text_of(client.get("/documents/?year=2026"))
    assert payment.number in page and "Statement for October 2026" in page and "New" in page
    assert payment.number not in text_of(client.get("/documents/?year=2026&kind=statement"))
    assert "No document fits" in text_of(client.get("/documents/?year=2026&words=nothing-like-it"))
    assert "No documents in this year" in text_of(client.get("/documents/?year=2021"))
    bobs = text_of(signed_in(cast.bob).get("/documents/?year=2026"))
    assert payment.number not in bobs and "Statement for" not in bobs


EXPLANATIONS = "/documents/?year=2026&kind=explanation"


def test_explanations_of_benefits_stand_in_the_list_by_year_and_person(cast: Cast) -> None:
    make_claim(cast.maya)
    make_claim(cast.bob, "CLM-BOB")
    make_claim(cast.alice, "CLM-OLD", service_on=dt.date(2025, 12, 31))
    make_claim(cast.alice, "CLM-OPEN", status="open")
    make_claim(cast.alice, "CLM-GONE", status="replaced")
    client = signed_in(cast.alice)
    answer = client.get(EXPLANATIONS)
    page = text_of(answer)
    assert "Explanation of benefits: Oakridge Medical Center" in page and "CLM-1" in page and "CLM-BOB" in page
    assert not any(number in page for number in ("CLM-OLD", "CLM-OPEN", "CLM-GONE"))
    assert 'href="/claims/CLM-1/pdf/"' in answer.content.decode()
    of_maya = text_of(client.get(f"{EXPLANATIONS}&person={cast.maya.pk}"))
    assert "CLM-1" in of_maya and "CLM-BOB" not in of_maya
    assert "CLM-1" not in text_of(client.get("/documents/?year=2026&kind=receipt"))
    assert "CLM-OLD" in text_of(client.get("/documents/?year=2025"))


def test_explanations_are_seen_by_whom_the_services_are(cast: Cast) -> None:
    """F06, F14: none of who is confidential, of a private side, or to who sees amounts alone."""
    side = private_side_of(cast.maya)
    for member, number in ((cast.bob, "CLM-BOB"), (side, "CLM-OWN"), (cast.maya, "CLM-MAYA")):
        make_claim(member, number)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    page = text_of(signed_in(cast.alice).get(EXPLANATIONS))
    assert "CLM-MAYA" in page and "CLM-BOB" not in page and "CLM-OWN" not in page
    assert "CLM-BOB" in text_of(signed_in(cast.bob).get(EXPLANATIONS))
    for grant, is_seen in (("pay_only", False), ("view", True)):
        helper = make_delegate(cast.maya, f"{grant}@example.com", grant)
        client = Client()
        client.force_login(helper)
        assert ("CLM-MAYA" in text_of(client.get(EXPLANATIONS))) is is_seen
        assert "CLM-OWN" not in text_of(client.get(EXPLANATIONS))


def test_a_long_year_is_paged_and_asks_no_more_queries_than_a_short_one(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_claim(cast.maya, "CLM-FIRST", service_on=dt.date(2026, 1, 1))
    client = signed_in(cast.alice)
    client.get("/documents/?year=2026")
    with CaptureQueriesContext(connection) as short:
        client.get("/documents/?year=2026")
    for number in range(30):
        make_claim(cast.bob, f"CLM-{number}", service_on=dt.date(2026, 2, 1) + dt.timedelta(days=number))
    with CaptureQueriesContext(connection) as long:
        first = client.get("/documents/?year=2026")
    assert len(long) == len(short)
    assert "CLM-29" in text_of(first) and "CLM-FIRST" not in text_of(first)
    assert 'href="?year=2026&amp;page=2"' in first.content.decode()
    second = client.get(f"{EXPLANATIONS}&page=2")
    assert "CLM-FIRST" in text_of(second) and "CLM-29" not in text_of(second)
    assert 'href="?year=2026&amp;kind=explanation&amp;page=1"' in second.content.decode()
    for odd in ("0", "-1", "99999999999999999999", "x", ""):
        assert client.get(f"{EXPLANATIONS}&page={odd}").status_code == 200
    monkeypatch.setattr(papers, "MAX_OF_KIND", 30)
    assert "All claims of 2026" in text_of(client.get(f"{EXPLANATIONS}&page=2"))


def test_explanations_are_read_along_an_index_as_far_as_the_cap(cast: Cast) -> None:
    make_claim(cast.maya)
    Claim.objects.bulk_create(
        Claim(
            number=f"CLM-X{number}", member=cast.charlie, household=cast.strangers, kind="professional",
            service_on=dt.date(2026, 1, 1), source="test", source_id=f"x{number}", source_version="1",
        )
        for number in range(3_000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE bills_claim")
    with CaptureQueriesContext(connection) as asked:
        assert [paper.number for paper in papers.listed(scope_of(cast.alice.user), year=2026, kind="explanation")]
    [sql] = [query["sql"] for query in asked if 'FROM "bills_claim"' in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "bills_claim_household_service" in plan or "bills_claim_member_service" in plan, plan
    assert "Seq Scan on bills_claim" not in plan, plan


def test_the_pack_asks_who_it_is_first(cast: Cast) -> None:
    """FAULTS H16: an export needs a recent proof."""
    answer = signed_in(cast.alice).get("/documents/pack/csv/?year=2026")
    assert answer.status_code == 302 and "/accounts/" in answer["Location"]
    assert proven(cast.alice).get("/documents/pack/pdf/?year=2026").headers["Content-Type"] == "application/pdf"
