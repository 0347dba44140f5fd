"""Who sees what, in a browser: Bob asks for confidentiality and Alice finds nothing; a helper pays without seeing."""

import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import pypdf
from django.utils import timezone
from pytest_django import Settings

from bills.models import Statement
from payments import monthly_statements
from tests.access import disputing
from tests.access.test_canaries import CANARY, CENTS, live
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import pay, review, start, type_card
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate
from tests.payments.paying import balance
from tests.stripe_sandbox.conftest import Server

AMOUNT = "73,131"  # of CENTS, as it is shown
PAGES = (
    "overview/", "bills/", "claims/", "claims/year/", "family/", "family/owes/", "family/spending/", "payments/",
    "documents/", "notifications/", "autopay/",
)  # fmt: skip
# Not pages that one clicks through: a search, exports, and the files of a statement and of the year's pack.
FETCHED = (
    "bills/?provider=Kanarien", "payments/?least=73131", "family/spending/export/", "payments/export/",
    "documents/pack/csv/", "documents/pack/pdf/",
)  # fmt: skip


def test_bob_asks_for_confidentiality_and_no_channel_shows_alice_anything(
    site: str, real_cast: Cast, sign_in: Callable[..., Any]
) -> None:
    """F06, F10: what she saw a moment ago, on the page that is still open, in searches, exports and files too."""
    bob, month = real_cast.bob, (timezone.localdate().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    make_coverage(real_cast.alice, bob, real_cast.maya)
    make_bill(real_cast.maya, issued_on=month, due_on=month)
    make_bill(bob, amount_cents=CENTS, title=CANARY, provider_name=CANARY, issued_on=month, due_on=month)
    monthly_statements.issue(month, on=month.replace(day=28) + dt.timedelta(days=5))
    disputing.estimated(bob)
    live(bob)
    make_bill(bob, amount_cents=CENTS, title=CANARY, provider_name=CANARY)  # since help took the others off
    statement = Statement.objects.get(household=real_cast.household, member=None)
    fetched = (*FETCHED, f"documents/statements/{statement.number}/", f"documents/statements/{statement.number}/pdf/")
    alice, his = sign_in(real_cast.alice.user), sign_in(bob.user)
    before = {path for path in (*PAGES, *fetched) if sings(read(alice, f"{site}/{path}"))}
    assert {"overview/", "bills/", "claims/", "payments/", fetched[-1]} <= before
    alice.goto(f"{site}/bills/")
    his.goto(f"{site}/settings/")
    his.goto(f"{site}/family/confidential/")
    his.get_by_role("button", name="Put it in force now").click()
    his.get_by_text("We write to bob@example.com and nowhere else.").wait_for()
    alice.reload()
    assert not sings(alice.content())
    for path in PAGES:
        assert alice.goto(f"{site}/{path}").status == 200, path
        assert not sings(alice.content()), path
        assert "Bob" not in alice.inner_text("main"), path
    for path in fetched:
        assert not sings(read(alice, f"{site}/{path}")), path
    his.goto(f"{site}/bills/")
    assert sings(his.content())


def test_a_helper_who_may_only_pay_pays_without_seeing_what_for(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], provider: Server, settings: Settings
) -> None:
    """From the list to the receipt: amounts and dates, and no word of the service."""
    settings.PORTAL_URL = site
    provider.post("webhooks", url=f"{site}/webhooks/stripe/", secret=settings.STRIPE_WEBHOOK_SECRETS[0])
    bill = make_bill(real_cast.bob, title=CANARY, provider_name=CANARY)
    page = sign_in(make_delegate(real_cast.bob, "helper@example.com", "pay_only"))
    read_ones: list[str] = []
    page.on("domcontentloaded", lambda shown: read_ones.append(shown.content()))
    page.goto(f"{site}/bills/")
    page.get_by_role("link", name="Medical bill").first.click()
    page.wait_for_url(f"{site}/bills/{bill.number}/")
    assert "$185.00" in page.inner_text("main")
    assert_accessible(page)
    start(page, site, bill)
    type_card(page)
    review(page)
    pay(page)
    page.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert balance(bill) == 13_500
    read_ones += [page.content(), read(page, f"{page.url}pdf/"), read(page, f"{site}/payments/export/")]
    assert len(read_ones) > 6
    assert [text for text in read_ones if CANARY in text] == []
    assert page.request.get(f"{site}/claims/").text().count(CANARY) == 0


def sings(text: str) -> bool:
    """Whether something of Bob's is told."""
    return CANARY in text or AMOUNT in text or f"{CENTS / 100:.2f}" in text


def read(page: Any, address: str) -> str:
    """What is read at an address, a PDF's words too, with the page's sign-in."""
    answer = page.request.get(address)
    assert answer.ok, address
    if answer.headers["content-type"].startswith("application/pdf"):
        return "".join(part.extract_text() for part in pypdf.PdfReader(io.BytesIO(answer.body())).pages)
    text: str = answer.text()
    return text
