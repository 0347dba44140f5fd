"""The payment history: filters, pages by key, and the CSV file."""

import csv
import datetime as dt
import io
import time

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Member
from activity.models import Event
from bills.models import Bill
from payments import history, spreadsheets
from payments.models import Payment
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.payments.pages import make_premium, signed_in, text_of


def proved(client: Client) -> Client:
    """The same browser after its user has just proved who they are."""
    session = client.session
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session.save()
    return client


def rows(client: Client, query: str = "") -> list[list[str]]:
    """The rows of the CSV file, its header first."""
    response = proved(client).get(f"/payments/export/?{query}")
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode()
    assert text.startswith(spreadsheets.BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(text.removeprefix(spreadsheets.BYTE_ORDER_MARK))))


def numbers(page: str, *payments: Payment) -> list[bool]:
    """Which of these payments a page lists."""
    return [payment.number in page for payment in payments]


def test_the_list_and_the_file_hold_what_the_viewer_may_see(cast: Cast) -> None:
    """F05, K02: Alice sees the household's, Bob his, Charlie none; drafts are not listed."""
    hers = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user)
    his = make_payment({make_bill(cast.bob): 4_000}, payer=cast.bob.user)
    draft = make_payment({make_bill(cast.maya): 3_000}, payer=cast.alice.user, status=PaymentStatus.DRAFT)
    for viewer, expected in (
        (cast.alice, [True, True, False]),
        (cast.bob, [False, True, False]),
        (cast.charlie, [False] * 3),
    ):
        client = signed_in(viewer)
        assert numbers(text_of(client.get("/payments/")), hers, his, draft) == expected
        assert numbers(str(rows(client)), hers, his, draft) == expected


def test_a_confidential_members_payment_leaves_no_trace_in_the_holders_list(cast: Cast) -> None:
    """F06: no row, no amount, no choice of the person, and a filter by the person's id finds nothing."""
    his = make_payment({make_bill(cast.bob): 4_321}, payer=cast.bob.user)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    alice = signed_in(cast.alice)
    page = alice.get("/payments/").content.decode()
    assert his.number not in page
    assert "43.21" not in page
    assert "Bob" not in page
    assert alice.get(f"/payments/?person={cast.bob.pk}").status_code == 422


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=premium", [False, False, True]),
        ("kind=medical", [True, True, False]),
        ("state=failed", [False, True, False]),
        ("least=45", [True, True, True]),
        ("least=100", [False, False, True]),
        ("most=50.00", [True, True, False]),
        ("since=2026-11-10", [True, False, False]),
        ("until=2026-11-09", [False, True, True]),
        ("since=2026-11-01&until=2026-11-01", [False, True, False]),
        ("person=MAYA", [True, False, False]),
    ],
)
def test_each_filter_narrows_the_list_and_the_file_alike(cast: Cast, query: str, expected: list[bool]) -> None:
    """Person, kind, state, dates, amount."""
    payments = [
        make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user),
        make_payment({make_bill(cast.alice): 4_500}, payer=cast.alice.user, status=PaymentStatus.FAILED),
        make_payment({make_premium(cast): 53_076}, payer=cast.alice.user),
    ]
    zone = timezone.get_current_timezone()
    for payment, day in zip(payments, (20, 1, 5), strict=True):
        Payment.objects.filter(pk=payment.pk).update(created_at=dt.datetime(2026, 11, day, 23, 30, tzinfo=zone))
    alice = signed_in(cast.alice)
    query = query.replace("MAYA", str(cast.maya.pk))
    assert numbers(text_of(alice.get(f"/payments/?{query}")), *payments) == expected
    assert numbers(str(rows(alice, query)), *payments) == expected


@pytest.mark.parametrize(
    "query",
    ["least=12.345", "most=NaN", "least=１２", "since=2026-02-30", "until=9999-12-31", "since=0001-01-01", "kind=x",
     "state=draft", "person=0", "person=1%20OR%201=1"],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_told_and_finds_nothing_hidden(cast: Cast, query: str) -> None:
    """I04, I12, I16: 422 with the reason, never 500."""
    response = signed_in(cast.alice).get(f"/payments/?{query}")
    assert response.status_code == 422
    assert proved(signed_in(cast.alice)).get(f"/payments/export/?{query}").status_code == 422


def test_pages_go_on_where_the_last_one_ended_even_when_payments_come_in_between(cast: Cast) -> None:
    """Keyset: no row twice, none left out, among payments of the same instant too."""
    bill = make_bill(cast.maya, amount_cents=900_000)
    made = [make_payment({bill: 100 + each}, payer=cast.alice.user) for each in range(60)]
    instant = timezone.now()
    Payment.objects.filter(pk__in=[payment.pk for payment in made[:40]]).update(created_at=instant)
    alice = signed_in(cast.alice)
    seen: list[str] = []
    address = "/payments/"
    for step in range(3):
        response = alice.get(address)
        seen += [row.payment.number for row in response.context["page"].rows]
        if step == 0:
            make_payment({bill: 7}, payer=cast.alice.user)
        address = f"/payments/?after={response.context['page'].next_after}"
    assert sorted(seen) == sorted(payment.number for payment in made)
    assert response.context["page"].next_after == ""


def test_a_cursor_of_another_gives_nothing(cast: Cast) -> None:
    """F05: 404, as for one that is not there."""
    hers = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user)
    charlie = signed_in(cast.charlie)
    assert charlie.get(f"/payments/?after={hers.number}").status_code == 404
    assert charlie.get("/payments/?after=NOTE-THER-E000").status_code == 404


HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    '"=1',
    " =1",
    "\u200b=1",
    "=\0cmd|' /C calc'!A0",
]  # noqa: RUF001


@pytest.mark.parametrize("title", HOSTILE)
def test_no_cell_of_the_file_is_a_formula(cast: Cast, title: str) -> None:
    """K01: an apostrophe stands before whatever a spreadsheet would run, full-width forms and after quotes too."""
    bill = make_bill(cast.maya)
    Bill.objects.filter(pk=bill.pk).update(title=title.replace("\0", ""))
    make_payment({bill: 5_000}, payer=cast.alice.user)
    _header, row = rows(signed_in(cast.alice))
    assert row[3].startswith("'")
    assert row[8] == "50.00"


@pytest.mark.parametrize("text", HOSTILE)
def test_inert_text_begins_with_an_apostrophe_and_holds_no_nul(text: str) -> None:
    """K01."""
    assert spreadsheets.inert(text).startswith("'")
    assert "\0" not in spreadsheets.inert(text)
    assert spreadsheets.inert("Outpatient visit") == "Outpatient visit"


def test_the_file_asks_who_one_is_and_is_recorded(cast: Cast) -> None:
    """H16, N01: only after proving it within five minutes; the export is an event."""
    make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user)
    alice = signed_in(cast.alice)
    assert "/accounts/" in alice.get("/payments/export/")["Location"]
    assert not Event.objects.filter(kind="payments.exported").exists()
    rows(alice)
    assert Event.objects.filter(kind="payments.exported", actor=f"user:{cast.alice.user_id}").count() == 1


def test_the_file_is_streamed_a_page_at_a_time(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays flat: rows are fetched in pages, all of them once."""
    monkeypatch.setattr(history, "EXPORT_PAGE_SIZE", 4)
    bill = make_bill(cast.maya, amount_cents=900_000)
    made = [make_payment({bill: 100 + each}, payer=cast.alice.user) for each in range(10)]
    found = rows(signed_in(cast.alice))[1:]
    assert [row[0] for row in found] == [payment.number for payment in reversed(made)]


def test_the_list_takes_the_same_queries_for_one_row_and_for_many(cast: Cast, django_assert_max_num_queries) -> None:
    """O05."""
    bill = make_bill(cast.maya, amount_cents=900_000)
    for each in range(25):
        make_payment({bill: 100 + each}, payer=cast.alice.user)
    alice = signed_in(cast.alice)
    alice.get("/payments/")
    with django_assert_max_num_queries(12):
        alice.get("/payments/")


def test_the_empty_states_say_what_to_do(cast: Cast) -> None:
    """Without a payment, and without one that fits."""
    alice = signed_in(cast.alice)
    assert "No payments yet" in text_of(alice.get("/payments/"))
    assert "No payment fits these filters" in text_of(alice.get("/payments/?state=failed"))
    assert Client().get("/payments/")["Location"].startswith("/accounts/login/")
