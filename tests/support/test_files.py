"""Files sent with a question: taken in clean, seen by their sender and by staff, held until scanned, gone in time."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Upload
from accounts.roles import Role
from accounts.uploads import keeping
from activity.models import Access
from support import files as question_files
from support import threads
from support.models import Inquiry, Message
from tests.accounts import files
from tests.conftest import Cast
from tests.factories import make_bill, make_delegate
from tests.staff.conftest import make_staff, sign_in
from tests.support.questions import make_inquiry
from tests.support.test_questions import client_of, wish


def test_a_photo_goes_with_the_question_and_is_shown_to_its_sender_once_it_is_clean(cast: Cast) -> None:
    """The photo of a receipt: cleaned, held, released; the question is asked once, whatever is sent twice."""
    bill = make_bill(cast.alice)
    client = client_of(cast.alice.user)
    address = f"/support/ask/?bill={bill.number}"
    page = client.get(address).content.decode()
    assert 'enctype="multipart/form-data"' in page and 'type="file"' in page
    for _time in range(2):
        sent = wish(topic="already_paid", document=files.sent(files.picture(), "my receipt.jpg"))
        assert client.post(address, sent).status_code == 302
    inquiry = Inquiry.objects.get()
    upload = Upload.objects.kept().get()
    assert (inquiry.messages.get().upload, upload.member, upload.purpose) == (upload, cast.alice, "support")
    page = client.get(f"/support/{inquiry.number}/").content.decode()
    assert "my receipt.jpg" in page and "Being checked" in page and upload.address not in page
    assert client.get(upload.address).status_code == 404
    keeping.scan_waiting()
    assert upload.address in client.get(f"/support/{inquiry.number}/").content.decode()
    assert client.get(upload.address).headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"MZ", "receipt.jpg", "We can take a PDF, a JPEG or a PNG file"),
        (b"%PDF-1.7 and then nothing", "receipt.pdf", "We could not read this file"),
        (b"", "receipt.png", "This file is empty"),
    ],
)
def test_a_file_that_is_refused_is_told_at_its_field_and_nothing_is_asked(
    cast: Cast, content: bytes, name: str, says: str
) -> None:
    """What was written stays in the form; on the thread's own form too."""
    inquiry = make_inquiry(cast.alice)
    client = client_of(cast.alice.user)
    for address in (f"/support/ask/?bill={make_bill(cast.alice).number}", f"/support/{inquiry.number}/"):
        answer = client.post(address, wish(text="I paid by check.", document=files.sent(content, name)))
        page = answer.content.decode()
        assert (answer.status_code, says in page, "I paid by check." in page) == (422, True, True)
        assert says in str(answer.context["form"].errors["document"])
    assert (Inquiry.objects.count(), Message.objects.count(), Upload.objects.count()) == (1, 1, 0)


def test_a_reply_carries_a_file_that_others_who_read_the_thread_do_not_get(cast: Cast) -> None:
    """A delegate of Bob reads his thread; the file stays his."""
    inquiry = make_inquiry(cast.bob)
    client = client_of(cast.bob.user)
    sent = {"text": "Here.", "document": files.sent(files.pdf(), "check.pdf")}
    assert client.post(f"/support/{inquiry.number}/", sent).status_code == 302
    keeping.scan_waiting()
    upload = Upload.objects.get()
    assert upload.address in client.get(f"/support/{inquiry.number}/").content.decode()
    viewer = client_of(make_delegate(cast.bob, "viewer@example.com", "view"))
    page = viewer.get(f"/support/{inquiry.number}/").content.decode()
    assert "A file was sent with this message." in page and "check" not in page.split("A file was sent")[1][:200]
    for user in (cast.alice.user, cast.charlie.user):
        assert client_of(user).get(upload.address).status_code == 404
    assert viewer.get(upload.address).status_code == 404
    for text in ("Here.", "Here."):  # the same words with another file are another message; sent twice, they are one
        client.post(f"/support/{inquiry.number}/", {"text": text, "document": files.sent(files.picture(), "b.jpg")})
    assert (inquiry.messages.count(), Upload.objects.kept().count()) == (3, 2)


def test_staff_read_a_file_once_it_is_clean_and_it_is_recorded(cast: Cast) -> None:
    """By the question that it came with, and by no other; not before it was scanned."""
    inquiry, other = make_inquiry(cast.alice), make_inquiry(cast.charlie)
    upload = question_files.keep(files.sent(files.pdf(), "check.pdf"), by=cast.alice.user, member=cast.alice)  # type: ignore[arg-type]
    assert upload is not None
    threads.add(inquiry, by=cast.alice.user, text="Here.", upload=upload)  # type: ignore[arg-type]
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    base = f"/admin/support/inquiry/{inquiry.pk}"
    assert "held" in client.get(f"{base}/change/").content.decode()
    assert client.get(f"{base}/document/?upload={upload.pk}").status_code == 404
    keeping.scan_waiting()
    assert f"document/?upload={upload.pk}" in client.get(f"{base}/change/").content.decode()
    assert client.get(f"{base}/document/?upload={upload.pk}").headers["Content-Type"] == "application/pdf"
    assert Access.objects.filter(action="document", member_id=cast.alice.pk).count() == 1
    for wrong in (f"{base}/document/?upload=x", f"/admin/support/inquiry/{other.pk}/document/?upload={upload.pk}"):
        assert client.get(wrong).status_code == 404
    assert client_of(cast.alice.user).get(f"{base}/document/?upload={upload.pk}").status_code != 200


def test_its_sender_deletes_a_file_and_a_closed_question_lets_it_go(cast: Cast) -> None:
    """Nobody else deletes it; opened again, the question keeps its files."""
    inquiry = make_inquiry(cast.maya, by=cast.alice.user)
    alice = cast.alice.user
    assert alice is not None
    upload = question_files.keep(files.sent(files.pdf(), "check.pdf"), by=alice, member=cast.maya)
    message = threads.add(inquiry, by=alice, text="Here.", upload=upload)
    threads.close(inquiry, by=alice, reason="settled")
    due = timezone.localdate() + dt.timedelta(days=question_files.KEPT_DAYS)
    assert Upload.objects.get().delete_after == due
    threads.add(inquiry, by=alice, text="Once more.")
    assert Upload.objects.get().delete_after is None
    address = f"/support/{inquiry.number}/remove-file/"
    assert client_of(cast.charlie.user).post(address, {"message": message.pk}).status_code == 404
    assert not question_files.remove(inquiry, message.pk, by=cast.dana)
    for named in ("x", "", str(message.pk + 1)):
        client_of(alice).post(address, {"message": named})
    assert Upload.objects.kept().count() == 1
    client_of(alice).post(address, {"message": message.pk})
    assert Upload.objects.kept().count() == 0
    assert "Deleted" in client_of(alice).get(f"/support/{inquiry.number}/").content.decode()


def test_the_database_takes_no_file_from_the_plan_and_each_file_once(cast: Cast) -> None:
    inquiry = make_inquiry(cast.alice)
    upload = question_files.keep(files.sent(files.pdf(), "check.pdf"), by=cast.alice.user, member=cast.alice)  # type: ignore[arg-type]
    for rule, wrong in (("file_is_the_member_s", {"is_from_plan": True}), ("upload_id", {})):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Message.objects.create(inquiry=inquiry, author=cast.alice.user, text="x", upload=upload, **wrong)
            Message.objects.create(inquiry=inquiry, author=cast.alice.user, text="x", upload=upload)
