"""A wrong bill and a missing one in a real browser: disputed, corrected, refunded; asked about and answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.roles import Role
from accounts.visibility import scope_of
from bills import issuing
from bills.models import Bill
from payments import checkout
from payments.models import Refund
from support import settling
from support.models import Inquiry
from tests.bills.importing import eob, owes, patient, take
from tests.bills.test_plan_years import make_claim
from tests.browser.accessibility import assert_accessible, assert_uncut
from tests.browser.paying import shoot
from tests.browser.test_going_back import act, staff_page
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage
from tests.payments.paying import balance, token
from tests.staff.conftest import make_staff
from tests.stripe_sandbox.conftest import Server
from tests.support.questions import make_inquiry

LANGUAGES = pytest.mark.parametrize("language", ["en", "es"])


def test_a_bill_above_its_claim_is_flagged_disputed_corrected_and_refunded(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], provider: Server, tmp_path: Path
) -> None:
    user = real_cast.charlie.user
    assert user is not None
    take(tmp_path, patient(), eob())
    bill = Bill.objects.select_related("member").get()
    member = bill.member
    member.user = user
    member.save()
    issuing.correct(bill, by_cents=4_500, key="by-hand", on=bill.issued_on, reason="raised by mistake")
    paid = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 7_500})
    checkout.confirm(checkout.choose(paid, confirmation_token=token("pm_card_visa")))
    page = sign_in(user)
    page.goto(f"{site}/bills/{bill.number}/")
    assert "This bill is $45.00 more than your claim says you owe" in page.inner_text("main")
    shoot(page, "bill-flagged")
    assert_accessible(page)
    page.get_by_role("link", name="Ask us to check this bill").click()
    assert_accessible(page)
    shoot(page, "ask")
    page.get_by_label("Your message").fill("The claim says $30.00.")
    page.get_by_role("button", name="Send").click()
    assert "We have your question" in page.inner_text("body")
    take(tmp_path, owes(eob(), 29))
    assert settling.settle_corrected() == 1
    page.reload()
    shoot(page, "inquiry")
    assert_accessible(page)
    assert "was corrected: it asked for $75.00 and asks for $29.00 now" in page.inner_text("main")
    page.goto(f"{site}/bills/{bill.number}/")
    assert "This bill matches its claim" in page.inner_text("main")
    page.goto(f"{site}/payments/overpaid/")
    page.get_by_role("link", name="Use it: $46.00").click()
    page.get_by_role("button", name="Send it back").click()
    assert "$46.00 is on its way back to the method that paid it." in page.inner_text("main")
    assert (Refund.objects.get().amount_cents, balance(bill)) == (4_600, 0)


def test_a_missing_bill_is_asked_about_answered_by_staff_and_read_by_the_member(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], visitor: Callable[..., Any]
) -> None:
    page = sign_in(real_cast.alice.user)
    page.goto(f"{site}/support/")
    shoot(page, "support-empty")
    assert_accessible(page)
    page.get_by_role("link", name="I did not get a bill I expected").click()
    assert page.get_by_label("I did not get a bill I expected").is_checked()
    page.get_by_label("Whom does it concern?").select_option(label="Maya Rivera")
    page.get_by_label("Your message").fill("Maya was at Oakridge on October 3, and no bill came.")
    page.get_by_role("button", name="Send").click()
    inquiry = Inquiry.objects.get()
    assert inquiry.member_id == real_cast.maya.pk
    clerk = staff_page(visitor, site, make_staff(Role.MEMBER_SERVICES))
    clerk.goto(f"{site}/admin/support/inquiry/")
    assert_uncut(clerk, "questions")
    assert_accessible(clerk)
    shoot(clerk, "staff-questions")
    clerk.get_by_role("link", name=inquiry.number).click()
    clerk.get_by_text("Maya was at Oakridge").wait_for()
    assert_uncut(clerk, "a question")
    assert_accessible(clerk)
    clerk.get_by_role("link", name="Answer").click()
    act(clerk, clerk.url, text="The claim came today. You owe nothing.")
    assert "The answer is sent." in clerk.inner_text("body")
    page.goto(f"{site}/support/")
    shoot(page, "support")
    assert "Answered" in page.inner_text("main")
    page.get_by_role("link", name="I did not get a bill I expected").first.click()
    assert "The claim came today. You owe nothing." in page.inner_text("main")
    page.get_by_role("button", name="It is settled: close it").click()
    assert "Closed" in page.inner_text("main")


@LANGUAGES
def test_the_pages_pass_axe_and_fit_narrow_screens(
    site: str, real_cast: Cast, sign_in: Callable[..., Any], language: str
) -> None:
    make_coverage(real_cast.alice, real_cast.bob, real_cast.maya)
    for month, member in enumerate((real_cast.alice, real_cast.alice, real_cast.maya), 2):
        make_claim(member, month, deductible=61_300, copay=4_000)
    first, second = make_bill(real_cast.maya), make_bill(real_cast.maya)
    inquiry = make_inquiry(real_cast.maya, by=real_cast.alice.user, bill=second, topic="wrong", holds_bill=True)
    page = sign_in(real_cast.alice.user, language=language)
    paths = (
        "claims/year/", "support/", "support/ask/", f"support/ask/?bill={first.number}",
        f"support/{inquiry.number}/", f"bills/{second.number}/", "help/", "help/?q=autopay", "help/bill-words/",
    )  # fmt: skip
    for number, path in enumerate(paths):
        page.goto(f"{site}/{path}")
        shoot(page, f"questions-{number}-{language}")
        assert_accessible(page)
