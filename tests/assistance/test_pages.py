"""The pages of help: an estimate of which nothing is kept, an application step by step, and what staff see and do."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from accounts.uploads import keeping
from activity.models import Access
from assistance import applying
from assistance.models import Application
from notifications import notices
from notifications.models import Notification
from tests.accounts import files
from tests.assistance.asking import draft, sent
from tests.factories import make_bill
from tests.staff.conftest import make_staff, sign_in

REASON = "Within the limit, proofs read."
KEY = "0123456789abcdef"


@pytest.fixture
def alice(cast) -> Client:
    client = Client()
    client.force_login(cast.alice.user)
    return client


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.UPLOADS_DIR = tmp_path


def test_an_estimate_for_a_bill_writes_nothing_anywhere(cast, alice, caplog):
    bill = make_bill(cast.alice, amount_cents=18_500)
    figures = {"size": "3", "income": "6,830.00", "period": "12", "state": "CA", "expense": ""}
    alice.get(f"/assistance/estimates/{bill.number}/")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = alice.post(f"/assistance/estimates/{bill.number}/", figures)
    text = page.content.decode()
    assert "75% off" in text and "$138.75" in text and "$46.25" in text
    written = [query["sql"] for query in queries if query["sql"].split()[0] in ("INSERT", "DELETE")]
    assert written == []
    assert "6,830" not in caplog.text and "683000" not in caplog.text
    assert not Application.objects.exists()
    assert page["Cache-Control"] == "no-store"


def test_an_application_is_written_in_steps_left_and_taken_up_again(cast, alice):
    bill = make_bill(cast.alice)
    assert alice.post("/assistance/begin/").status_code == 302
    application = Application.objects.get()
    base = f"/assistance/applications/{application.number}"
    people = {"members": [cast.alice.pk], "wants_assistance": "on", "household_size": "3", "state": "CA"}
    assert alice.post(f"{base}/people/", people)["Location"] == f"{base}/income/"
    income = {"kind": "wages", "amount": "2,500.00", "times_a_year": "12", "document": files.sent(files.pdf())}
    assert alice.post(f"{base}/income/", income)["Location"] == f"{base}/income/"
    assert "$30,000.00 a year" in alice.get(f"{base}/income/").content.decode()
    assert alice.post(f"{base}/expenses/", {"expense": "120"})["Location"] == f"{base}/sign/"
    assert alice.post("/assistance/begin/")["Location"] == f"{base}/people/", "it is the same one"
    assert alice.post(f"{base}/sign/", {"signature": "Alice Rivera"}).status_code == 422
    assert alice.post(f"{base}/sign/", {"is_true": "on", "signature": "Alice Rivera"})["Location"] == f"{base}/"
    application.refresh_from_db()
    bill.refresh_from_db()
    assert (application.status, application.expense_cents) == ("submitted", 12_000)
    assert bill.held_since is not None
    assert "Being decided" in alice.get(f"{base}/").content.decode()
    assert alice.post(f"{base}/people/", people)["Location"] == f"{base}/"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (files.sent(b"<html>", "stub.pdf"), "something else"),
        (files.sent(b"%PDF-1.7 rubbish"), "could not read"),
        (None, "Choose a file"),
    ],
)
def test_a_proof_that_is_none_is_refused_with_words(cast, alice, document, says):
    application = draft(cast.alice, income_cents=0)
    form = {"kind": "wages", "amount": "100", "times_a_year": "12"} | ({"document": document} if document else {})
    page = alice.post(f"/assistance/applications/{application.number}/income/", form)
    assert page.status_code == 422 and says in page.content.decode()
    assert not application.sources.exists()


def test_what_was_missing_is_sent_by_the_page(cast, alice):
    application = sent(cast.alice)
    applying.ask_for(application, texts=["A pay stub of October"], by=cast.dana)
    base = f"/assistance/applications/{application.number}/"
    assert "A pay stub of October" in alice.get(base).content.decode()
    item = application.missing_items.get()
    assert alice.post(base, {"item": item.pk, "document": files.sent(files.pdf())}).status_code == 302
    application.refresh_from_db()
    assert application.status == "submitted" and application.complete_at is not None


def test_an_appeal_takes_back_what_was_only_begun_and_waits_for_what_is_being_decided(cast, alice):
    """One is open at a time. What was written to us is never lost: it is sent, or shown again with the reason."""
    denied = sent(cast.alice)
    applying.deny(denied, by=cast.dana, reason="The income is above the limit.")
    base = f"/assistance/applications/{denied.number}/"
    assert "Send the appeal" in alice.get(base).content.decode()
    pending = sent(cast.alice)
    page = alice.get(base).content.decode()
    assert "Send the appeal" not in page and f"We are deciding your application {pending.number}" in page
    page = alice.post(f"{base}appeal/", {"text": "I lost my work."})
    assert page.status_code == 422 and "I lost my work." in page.content.decode()
    applying.withdraw(pending, by=cast.alice.user)
    begun = draft(cast.alice)
    assert f"You have begun application {begun.number}" in alice.get(base).content.decode()
    assert alice.post(f"{base}appeal/", {"text": " "}).status_code == 422
    assert alice.post(f"{base}appeal/", {"text": "I lost my work."})["Location"] == base
    stands = dict(Application.objects.values_list("pk", "status"))
    assert (stands[denied.pk], stands[pending.pk], stands[begun.pk]) == ("appealed", "withdrawn", "withdrawn")


def test_staff_of_assistance_reads_the_proof_and_decides_and_others_do_not(cast):
    """FAULTS K13, F21."""
    application = draft(cast.alice)
    upload = keeping.keep(files.sent(files.pdf()), by=cast.alice.user, member=cast.alice, purpose="assistance")
    applying.add_income(application, kind="wages", amount_cents=1_000_00, times_a_year=12, upload=upload)
    applying.submit(application, signature="Alice Rivera", by=cast.alice.user)
    base = f"/admin/assistance/application/{application.pk}"
    client = sign_in(Client(), make_staff(Role.ASSISTANCE))
    assert client.get(f"{base}/document/?upload={upload.pk}").status_code == 404, "it is held"
    keeping.scan_waiting()
    page = client.get(f"{base}/document/?upload={upload.pk}")
    assert page.status_code == 200 and page["Content-Disposition"].startswith("attachment")
    assert Access.objects.filter(action="document", member_id=cast.alice.pk).count() == 1
    other = keeping.keep(files.sent(files.pdf()), by=cast.bob.user, member=cast.bob, purpose="test")
    keeping.scan_waiting()
    assert client.get(f"{base}/document/?upload={other.pk}").status_code == 404
    for role in (Role.BILLING, Role.MEMBER_SERVICES):
        stranger = sign_in(Client(), make_staff(role))
        assert stranger.get(f"{base}/document/?upload={upload.pk}").status_code == 403
        assert stranger.post(f"{base}/approve/", {"reason": REASON, "key": KEY}).status_code == 403
    auditor = sign_in(Client(), make_staff(Role.AUDITOR))
    assert auditor.get(f"{base}/change/").status_code == 200
    assert auditor.post(f"{base}/approve/", {"reason": REASON, "key": KEY}).status_code == 403
    assert client.post(f"{base}/approve/", {"reason": REASON, "key": KEY}).status_code == 302
    application.refresh_from_db()
    assert application.status == "approved"


def test_a_confidential_applicants_record_opens_for_a_reason_and_never_to_family(cast):
    """FAULTS K13, F25."""
    from django.utils import timezone

    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    application = sent(cast.bob)
    base = f"/admin/assistance/application/{application.pk}/change/"
    client = sign_in(Client(), make_staff(Role.ASSISTANCE))
    assert "Wages" not in client.get(base).content.decode()
    assert client.post(base, {"reason": "The applicant called about it."}).status_code == 302
    assert client.get(base).status_code == 200
    parent = make_staff(Role.ADMINISTRATOR)
    cast.alice.user = parent
    cast.alice.save()
    assert sign_in(Client(), parent).get(base).status_code in (302, 403, 404)


def test_the_applicant_alone_is_told_and_the_mail_says_nothing_of_it(cast):
    application = sent(cast.bob)
    applying.deny(application, by=cast.dana, reason="The income is above the limit.")
    while notices.make():
        pass
    readers = set(Notification.objects.filter(kind__startswith="help_").values_list("user_id", flat=True))
    assert readers == {cast.bob.user_id}
