"""Statements: they add up to the book, stand as issued, tell nobody of a confidential member, and can be read aloud."""

import datetime as dt
import io
from pathlib import Path

import pikepdf
import pypdf
import pytest
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from accounts import confidentiality
from accounts.visibility import scope_of
from bills import issuing
from bills.models import Bill, Statement, StatementOpening
from ledger.models import Account
from notifications import letters, notices
from notifications.models import Notification
from notifications.news.looking import News, NotToBeSent
from notifications.news.statements import of_statements
from payments import monthly_statements, paper_statements, statement_reading
from payments.language_notice import SENTENCES
from payments.pages import documents
from tests.accounts.private import private_side_of
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_payment
from tests.payments.pages import signed_in, text_of

OCTOBER, NOVEMBER = dt.date(2026, 10, 1), dt.date(2026, 11, 1)


def october(member, cents: int = 18_500, day: int = 5) -> Bill:  # type: ignore[no-untyped-def]
    """A bill issued in October, due in November."""
    return make_bill(
        member, amount_cents=cents, issued_on=dt.date(2026, 10, day), due_on=dt.date(2026, 11, day), lines=()
    )


def issue(month: dt.date = OCTOBER, on: dt.date | None = None) -> int:
    """Issue the statements of a month on the second day of the next."""
    return monthly_statements.issue(month, on=on or (month + dt.timedelta(days=32)).replace(day=2))


def test_it_adds_up_to_the_book_and_joins_the_one_before(cast: Cast) -> None:
    """Previous + charges - payments - adjustments = balance, to the cent, two months in a row (RULES 8)."""
    bill, other = october(cast.alice), october(cast.maya, 9_900, 20)
    make_payment({bill: 8_500}, on=dt.date(2026, 10, 25))
    issuing.adjust(other, amount_cents=900, key="a", on=dt.date(2026, 10, 28), reason="x", actor="test")
    assert [issue(), issue()] == [1, 0]
    first = Statement.objects.get()
    sums = (first.previous_cents, first.charges_cents, first.payments_cents, first.adjustments_cents)
    assert (*sums, first.balance_cents) == (0, 28_400, 8_500, 900, 19_000)
    make_payment({bill: 10_000}, on=dt.date(2026, 11, 10))
    assert issue(NOVEMBER) == 1
    second = Statement.objects.get(month=NOVEMBER)
    book = sum(Account.objects.filter(bill__household=cast.household).values_list("balance_cents", flat=True))
    assert (second.previous_cents, second.payments_cents, second.balance_cents) == (19_000, 10_000, book)
    assert sum(entry["cents"] for row in first.content["bills"] for entry in row["entries"]) == 19_000


def test_what_is_entered_later_for_a_month_that_was_told_is_said_so(cast: Cast) -> None:
    """A payment dated back to October after its statement: November says so, and still joins (FAULTS E27)."""
    bill = october(cast.alice)
    issue()
    make_payment({bill: 3_500}, on=dt.date(2026, 10, 30))
    issue(NOVEMBER)
    found = Statement.objects.get(month=NOVEMBER)
    assert (found.previous_cents, found.corrections_cents, found.balance_cents) == (18_500, -3_500, 15_000)


def test_a_day_is_of_the_members_month(cast: Cast) -> None:
    """Paid on 31 October, Pacific, is October's, though it is November in UTC (FAULTS E24)."""
    bill = october(cast.alice)
    make_payment({bill: 500}, on=dt.date(2026, 10, 31))
    make_payment({bill: 700}, on=NOVEMBER)
    issue()
    assert Statement.objects.get().payments_cents == 500


def test_a_month_that_is_not_over_has_none(cast: Cast) -> None:
    """And who has nothing to be told of has none either."""
    october(cast.alice)
    with pytest.raises(monthly_statements.MonthNotOver):
        monthly_statements.issue(OCTOBER, on=dt.date(2026, 10, 31))
    issue()
    assert set(Statement.objects.values_list("household_id", flat=True)) == {cast.household.pk}


def test_the_database_refuses_to_change_what_was_issued(cast: Cast) -> None:
    """Frozen: neither by the model nor past it; and one that does not add up cannot be written."""
    october(cast.alice)
    issue()
    for statement in ("UPDATE bills_statement SET balance_cents = 0", "DELETE FROM bills_statement"):
        with pytest.raises(Error, match="stands as it was issued"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(Error, match="adds_up"), transaction.atomic():
        Statement.objects.create(
            number="x", household=cast.household, month=NOVEMBER, issued_on=NOVEMBER, previous_cents=1,
            charges_cents=0, payments_cents=0, adjustments_cents=0, corrections_cents=0, balance_cents=0, due_cents=0,
            content={},
        )  # fmt: skip


@pytest.mark.parametrize(
    "apart", [{"confidential_since": timezone.now()}, {"joined_on": dt.date(2015, 1, 1)}], ids=["confidential", "grown"]
)
def test_a_confidential_or_grown_members_rows_are_on_no_other(cast: Cast, apart: dict[str, dt.date]) -> None:
    """Civ. Code 56.107, FAULTS F06: no row, amount or gap; the member has a statement of one's own, without address."""
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(**apart)
    october(cast.alice)
    secret = october(cast.bob, 33_333)
    assert issue() == 2
    holders, bobs = Statement.objects.get(member=None), Statement.objects.get(member=cast.bob)
    assert (holders.balance_cents, bobs.balance_cents, bobs.content["address"]) == (18_500, 33_333, [])
    page = signed_in(cast.alice).get(f"/documents/statements/{holders.number}/").content.decode()
    assert secret.number not in page and "333.33" not in page and "Bob" not in page.partition("<main")[2]
    assert signed_in(cast.alice).get(f"/documents/statements/{bobs.number}/").status_code == 404
    assert signed_in(cast.bob).get(f"/documents/statements/{bobs.number}/").status_code == 200
    assert signed_in(cast.bob).get(f"/documents/statements/{holders.number}/").status_code == 404


def test_who_asks_for_confidentiality_later_is_gone_from_the_ones_before(cast: Cast) -> None:
    """FAULTS F09: from that moment on every document obeys, and its sums are whole."""
    october(cast.alice)
    secret = october(cast.bob, 33_333)
    issue()
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    found = Statement.objects.get()
    page = text_of(signed_in(cast.alice).get(f"/documents/statements/{found.number}/"))
    assert secret.number not in page and "333.33" not in page and "518.33" not in page and "$185.00" in page


def test_of_a_month_of_which_nothing_is_left_to_see_the_holder_hears_nothing(cast: Cast, tmp_path: Path) -> None:
    """Neither told, nor listed, nor printed, nor there: an empty statement tells that there was something (F06)."""
    grow_up = {"joined_on": dt.date(2015, 1, 1)}
    october(cast.bob, 33_333)
    issue()
    notices.make()
    notice = Notification.objects.get(kind="statement_ready", user=cast.alice.user)
    assert isinstance(of_statements([notice])[notice.pk], News)
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(**grow_up)
    number = Statement.objects.get().number
    assert isinstance(of_statements([notice])[notice.pk], NotToBeSent)
    assert number not in text_of(signed_in(cast.alice).get("/documents/?year=2026"))
    assert signed_in(cast.alice).get(f"/documents/statements/{number}/").status_code == 404
    assert list(paper_statements.of_month(OCTOBER)) == []
    type(cast.maya).objects.filter(pk=cast.maya.pk).update(birth_date=dt.date(2008, 10, 30), **grow_up)
    type(cast.household).objects.filter(pk=cast.household.pk).update(address="1 Elm Street", is_paperless=True)
    make_payment({october(cast.maya): 500}, on=NOVEMBER)
    assert issue(NOVEMBER) == 2
    notices.make()
    assert list(
        Notification.objects.filter(kind="statement_ready").exclude(pk=notice.pk).values_list("user", flat=True)
    ) == [cast.bob.user_id]
    assert [paper.row[3:5] for paper in paper_statements.of_month(NOVEMBER)] == [("Maya Rivera", "1 Elm Street")]


def test_opening_it_is_recorded_once_and_the_reader_is_told(cast: Cast) -> None:
    """`statement_ready`, to the holder alone; opened twice, written down once."""
    october(cast.bob)
    issue()
    notices.make()
    assert list(Notification.objects.filter(kind="statement_ready").values_list("user_id", flat=True)) == [
        cast.alice.user_id
    ]
    number = Statement.objects.get().number
    for _twice in range(2):
        signed_in(cast.alice).get(f"/documents/statements/{number}/")
    assert StatementOpening.objects.count() == 1


def printed(client: Client, number: str) -> pikepdf.Pdf:
    """The statement's PDF, opened."""
    answer = client.get(f"/documents/statements/{number}/pdf/")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/pdf"
    return pikepdf.open(io.BytesIO(answer.content))


def tags(pdf: pikepdf.Pdf) -> set[str]:
    """The kinds of element in the structure tree."""
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, pikepdf.Array):
            for child in node:  # type: ignore[attr-defined]
                walk(child)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                found.add(str(node["/S"]))
            if "/K" in node:
                walk(node["/K"])

    walk(pdf.Root.StructTreeRoot)
    return found


def test_the_pdf_can_be_read_aloud(cast: Cast) -> None:
    """45 CFR 84.84, PDF/UA: tagged, titled, with its language, headings and table headers; Spanish for its reader."""
    october(cast.alice)
    issue()
    number = Statement.objects.get().number
    client = signed_in(cast.alice)
    for language, title in (("en", f"Statement {number}"), ("es", f"Estado de cuenta {number}")):
        client.cookies["django_language"] = language
        type(cast.alice.user).objects.filter(pk=cast.alice.user_id).update(language=language)
        with printed(client, number) as pdf:
            assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/L"} <= tags(pdf)
            assert (str(pdf.Root.Lang), bool(pdf.Root.MarkInfo.Marked)) == (language, True)
            with pdf.open_metadata() as metadata:
                assert metadata["pdfuaid:part"] == "1" and metadata["dc:title"].startswith(title)


def test_it_says_what_it_has_to_say(cast: Cast, settings) -> None:  # type: ignore[no-untyped-def]
    """RULES 8, 1.3, 4: amount and date, ways to pay, 501(r) help, fifteen languages, California's premium text."""
    coverage = make_coverage(cast.alice)
    issuing.issue(
        member=cast.alice, kind=Bill.Kind.PREMIUM, amount_cents=50_000, title="Premium", coverage=coverage,
        issued_on=dt.date(2026, 10, 12), due_on=NOVEMBER, period=NOVEMBER, source="test", source_id="p",
    )  # fmt: skip
    issue()
    scope = scope_of(cast.alice.user)
    with translation.override("en"):
        read = statement_reading.read(Statement.objects.get(), scope)
        html = render_to_string("print/statement.html", {"read": read, **documents._printed(read, scope)})
    for words in (
        "Amount due", "$500.00", "Due November 1, 2026", "all free of charge", "Financial assistance is available",
        "You must pay all amounts listed in this bill by the due date.", "itemized bill", "<svg",
        settings.SUPPORT_PHONE,
    ):  # fmt: skip
        assert words in html, words
    assert len(set(SENTENCES) - {"en"}) >= 15 and html.count("<li lang=") == len(SENTENCES)
    css = Path("static/print.css").read_text()
    assert ".premium-text { font-size: 12pt" in css  # 28 CCR 1300.65(a)(2): at least 12 point


def test_paper_goes_to_who_wants_paper(cast: Cast, tmp_path: Path) -> None:
    """A PDF and a row for each household that has not chosen paperless; none of a confidential member."""
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    october(cast.alice), october(cast.bob), october(cast.charlie)
    type(cast.strangers).objects.filter(pk=cast.strangers.pk).update(is_paperless=True)
    issue()
    call_command("print_statements", "--month", "2026-10", "--to", str(tmp_path / "out"))
    number = Statement.objects.get(household=cast.household, member=None).number
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"list.csv", f"{number}.pdf"}


def test_a_private_sides_statement_goes_out_in_the_persons_own_name(cast: Cast, tmp_path: Path) -> None:
    """To the address on file, or to the one that was asked for; to nobody else (Civ. Code 56.107)."""
    side = private_side_of(cast.maya)
    type(cast.household).objects.filter(pk=cast.household.pk).update(address="1 Elm Street", is_paperless=True)
    bill = october(side)
    issue()
    [paper] = paper_statements.of_month(OCTOBER)
    assert paper.row[3:5] == ("Maya Rivera", "1 Elm Street")
    assert bill.number in "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(paper.pdf)).pages).replace(
        "\0", ""
    )
    where = {"channel": "post", "address": "9 Own Road", "city": "Oakland", "state": "CA", "zip": "94612"}
    confidentiality.begin(cast.maya, where=where, actor="test")
    assert [paper.row[4] for paper in paper_statements.of_month(OCTOBER)] == ["9 Own Road"]
    notices.make()
    assert [letter[5] for letter in letters.rows()] == ["Maya Rivera"] * len(list(letters.rows()))
    type(side).objects.filter(pk=side.pk).update(user=cast.bob.user)
    assert not list(paper_statements.of_month(OCTOBER))
