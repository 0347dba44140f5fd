"""In a browser: what a teen consents to themself is theirs alone to see and pay; a holder hands the account over."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import time_machine
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Member
from bills.models import Bill, Claim
from payments import departing
from tests.access.test_canaries import CANARY
from tests.bills.importing import eob, take
from tests.bills.test_import_private import labelled
from tests.browser.accessibility import assert_accessible
from tests.browser.paying import pay, review, shoot, start, type_card
from tests.browser.test_leaving import HER_LETTERS, prove
from tests.browser.test_sight import PAGES, read
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.paying import balance
from tests.stripe_sandbox.conftest import Server

OWES = "private services"


def test_what_a_teen_consents_to_is_theirs_alone_to_see_and_to_pay(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], provider: Server, settings: Settings, tmp_path: Path
) -> None:
    """F14: a claim comes with a label; the holder finds no trace of it, before it is paid and after."""
    settings.PORTAL_URL = site
    provider.post("webhooks", url=f"{site}/webhooks/stripe/", secret=settings.STRIPE_WEBHOOK_SECRETS[0])
    Member.objects.filter(pk=real_cast.bob.pk).update(
        birth_date=dt.date(2010, 5, 6), source="fhir", source_id="Patient/bob"
    )
    own = labelled(eob("own", "bob", provider={"display": CANARY}), "PSY")
    take(tmp_path, eob("plain", "bob"), own)
    bill, plain = Bill.objects.get(member__private_of=real_cast.bob), Bill.objects.get(member=real_cast.bob)
    number = Claim.objects.get(bill=bill).number

    alice, his = sign_in(real_cast.alice.user), sign_in(real_cast.bob.user)
    finds_nothing(alice, site, bill, number)
    assert plain.number in read(alice, f"{site}/bills/")
    his.goto(f"{site}/bills/")
    assert CANARY in his.inner_text("main") and OWES in his.inner_text("main")
    assert_accessible(his)
    start(his, site, bill, "30.00")
    type_card(his)
    review(his)
    pay(his, 3_000)
    his.wait_for_url(re.compile(r"/payments/[0-9A-Z-]+/$"))
    assert balance(bill) == 0
    assert alice.request.get(his.url).status == 404
    finds_nothing(alice, site, bill, number, "overview/", "payments/", "family/", "family/spending/", "claims/year/")


def finds_nothing(page: Any, site: str, bill: Bill, number: str, *paths: str) -> None:
    """No list, sum, search or address of the holder's tells of it."""
    for path in paths or (*PAGES, f"bills/?provider={CANARY[:8]}", "family/spending/export/", "payments/export/"):
        text = read(page, f"{site}/{path}").replace(f'value="{CANARY[:8]}"', "")
        assert not [word for word in (CANARY, bill.number, number, OWES, "$60.00") if word in text], path
    for path in (f"bills/{bill.number}/", f"bills/{bill.number}/pdf/", f"claims/{number}/", f"claims/{number}/pdf/"):
        assert page.request.get(f"{site}/{path}").status == 404, path


def test_a_holder_leaves_and_another_holds_the_account_by_their_own_word(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], set_clock: Callable[[dt.datetime], None]
) -> None:
    """F17: until midnight nothing has changed; after it the former holder sees their own, by the date alone."""
    alice, bob = real_cast.alice, real_cast.bob
    hers, mayas = make_bill(alice, title="Visit of Alice's"), make_bill(real_cast.maya, title="Visit of Maya's")
    midnight = timezone.make_aware(dt.datetime.combine(timezone.localdate() + dt.timedelta(days=1), dt.time.min))
    evening = midnight - dt.timedelta(minutes=10)
    set_clock(evening)
    page, his = sign_in(alice.user), sign_in(bob.user)
    for each, user_id in ((page, alice.user_id), (his, bob.user_id)):
        prove(each, user_id, at=evening)
    page.goto(f"{site}/family/leaving/{alice.pk}/account/")
    page.get_by_label("Divorce or separation").check()
    page.get_by_label("Bob Rivera").check()
    page.get_by_label("Last day in the household").fill(timezone.localdate().strftime("%m/%d/%Y"))
    for label, text in HER_LETTERS:
        page.get_by_label(re.compile(f"^{label}")).fill(text)  # it may be left out
    shoot(page, "leaving-holder")
    assert_accessible(page)
    page.get_by_role("button", name="Review").click()
    page.wait_for_selector("text=9 Elm Street, Fresno, CA 93650")
    shoot(page, "leaving-holder-review")
    page.get_by_role("button", name="Plan it").click()
    page.wait_for_selector("text=has not said yes yet")
    his.goto(f"{site}/family/leaving/offers/")
    assert "Elm Street" not in his.content()
    his.get_by_role("button", name=re.compile("^Yes")).click()
    his.wait_for_selector("text=You hold the account from its day on")
    assert page.request.get(f"{site}/bills/{mayas.number}/").status == 200
    assert his.request.get(f"{site}/bills/{mayas.number}/").status == 404

    set_clock(midnight + dt.timedelta(minutes=1))
    assert page.request.get(f"{site}/bills/{mayas.number}/").status == 404  # before any task has run
    with time_machine.travel(midnight + dt.timedelta(minutes=2)):
        assert departing.run() == 1
    text = {who: read(each, f"{site}/bills/") for who, each in (("hers", page), ("his", his))}
    assert hers.number in text["hers"] and mayas.number not in text["hers"]
    assert mayas.number in text["his"] and hers.number not in text["his"]
    for path in ("overview/", "family/", "family/owes/", "claims/"):
        assert not [name for name in ("Maya", "Bob") if name in read(page, f"{site}/{path}")], path
    assert page.request.get(f"{site}/bills/{hers.number}/").status == 200
