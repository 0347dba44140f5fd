"""Letters of an application and documents of a bill: each where it belongs, for nobody else, in its language."""

import datetime as dt
from io import BytesIO

import pikepdf
from django.utils import timezone

from accounts.models import User
from assistance import applying, awarding, charity, letters
from assistance.models import Award
from bills.models import Claim
from notifications import notices
from notifications.models import Notification
from notifications.news.assistance import of_awards
from notifications.news.looking import News
from payments import monthly_statements
from tests.assistance.asking import approved, sent
from tests.bills.test_claim_pages import make_claim
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate, make_payment
from tests.payments.pages import signed_in, text_of
from tests.support.test_questions import client_of


def title_and_language(content: bytes) -> tuple[str, str]:
    """What a PDF says of itself."""
    with pikepdf.open(BytesIO(content)) as pdf:
        return str(pdf.docinfo["/Title"]), str(pdf.Root.Lang)


def test_every_step_of_an_application_has_its_letter_among_the_documents(cast: Cast) -> None:
    """Received, missing, denied with its reason and how to appeal, appealed, upheld: dated, the applicant's alone."""
    application = sent(cast.alice)
    applying.ask_for(application, texts=["Your last pay stub"], by=cast.dana)
    applying.deny(application, by=cast.dana, reason="The pay stub did not come.")
    applying.appeal(application, text="Here it is.", by=cast.alice.user)
    applying.deny(application, by=cast.dana, reason="The income is above the limit.")
    application.refresh_from_db()
    found = letters.of(application)
    assert [str(one.about) for one in found] == ["upheld", "appealed", "denied", "missing", "submitted"]
    assert [item.text for item in found[3].missing] == ["Your last pay stub"]
    assert (found[2].reason, found[0].reason) == ("The pay stub did not come.", "The income is above the limit.")
    alice = signed_in(cast.alice)
    page = text_of(alice.get("/documents/?kind=letter"))
    assert page.count(application.number) >= 5 and "Your application is not approved" in page
    assert "Letters" in text_of(alice.get(f"/assistance/applications/{application.number}/"))
    for one in found:
        answer = alice.get(one.address)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
        assert title_and_language(answer.content)[0] == f"{one.about.label} {application.number}"
        for user in (
            cast.bob.user,
            cast.charlie.user,
            make_delegate(cast.alice, f"d{one.event.pk}@example.com", "full"),
        ):
            assert client_of(user).get(one.address).status_code == 404
    for user in (cast.bob.user, cast.charlie.user, make_delegate(cast.alice, "full@example.com", "full")):
        assert client_of(user).get(found[0].address).status_code == 404
    base = f"/assistance/applications/{application.number}/letter/"
    assert [alice.get(f"{base}?letter={wrong}").status_code for wrong in ("x", "0", "%00")] == [404, 404, 404]
    assert application.number not in text_of(signed_in(cast.bob).get("/documents/"))


def test_a_decision_says_what_is_given_by_which_figures_in_the_applicants_language(cast: Cast) -> None:
    """The letter is in the language that was applied in, whoever prints it in which."""
    User.objects.filter(pk=cast.alice.user.pk).update(language="es")  # type: ignore[union-attr]
    cast.alice.user.refresh_from_db()  # type: ignore[union-attr]
    make_bill(cast.alice)
    application = approved(cast.alice, cast.dana, income_cents=47_880_00 // 12)
    [decision, received] = letters.of(application)
    assert decision.determination is not None and decision.determination.income_cents == 47_880_00
    assert [award.percent for award in decision.awards] == [75]
    assert received.decide_by == application.decide_by
    title, language = title_and_language(signed_in(cast.alice).get(decision.address).content)
    assert (language, "approved" in title) == ("es", False)


def test_help_that_is_ended_says_why_and_the_letter_that_gave_it_stays_as_it_was(cast: Cast) -> None:
    """On the page, in a letter of its own and where the notice leads; what was approved reads as on the day."""
    make_coverage(cast.alice, premium_cents=50_000, subsidy_cents=0, start_on=timezone.localdate().replace(day=1))
    application = approved(cast.alice, cast.dana, income_cents=2_000_00, charitable=True)
    as_given = [award.end_on for award in letters.of(application)[0].awards]
    helped, charitable = application.awards.order_by("kind")
    assert awarding.revoke(helped, by=cast.dana, reason="The pay stubs were another's.")
    assert charity.end(charitable, by=cast.dana, reason="Another program pays now.", on=timezone.localdate())
    found = letters.of(application)
    assert [str(one.about) for one in found] == ["ended", "ended", "approved", "submitted"]
    assert [award.end_on for award in found[2].awards] == as_given
    assert [one.reason for one in found[:2]] == ["Another program pays now.", "The pay stubs were another's."]
    assert [one.ended and one.ended.end_on for one in found[:2]] == [
        Award.objects.get(pk=charitable.pk).end_on, timezone.localdate()
    ]  # fmt: skip
    alice = signed_in(cast.alice)
    for address in ("/assistance/", f"/assistance/applications/{application.number}/"):
        page = text_of(alice.get(address))
        assert "Another program pays now." in page and "The pay stubs were another" in page
    for one in found[:2]:
        assert title_and_language(alice.get(one.address).content)[0] == f"Your help was ended {application.number}"
    while notices.make():
        pass
    notice = Notification.objects.filter(kind="help_ended").first()
    assert notice is not None
    told = of_awards([notice])[notice.pk]
    assert isinstance(told, News) and told.path == f"/assistance/applications/{application.number}/"


def test_a_bill_and_its_claim_name_the_documents_in_which_they_stand(cast: Cast) -> None:
    """Statements that have it, receipts of its payments; nothing of another bill, nothing that the viewer sees not."""
    bill, other = make_bill(cast.maya, issued_on=dt.date(2026, 10, 5)), make_bill(cast.alice)
    claim: Claim = make_claim(cast.maya, bill=bill)
    monthly_statements.issue(dt.date(2026, 10, 1), on=dt.date(2026, 11, 2))
    payment = make_payment({bill: 500}, payer=cast.alice.user)
    alice = signed_in(cast.alice)
    for address in (f"/bills/{bill.number}/", f"/claims/{claim.number}/"):
        page = alice.get(address).content.decode()
        assert "Statement for October 2026" in page and f"/payments/{payment.number}/pdf/" in page
    assert "Statement for" not in alice.get(f"/bills/{other.number}/").content.decode()
    payer = client_of(make_delegate(cast.maya, "payer@example.com", "pay_only"))
    assert "Statement for" not in payer.get(f"/bills/{bill.number}/").content.decode()
