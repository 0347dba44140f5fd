"""A member's file is held until it was scanned, goes to its owner alone, and is deleted in the end."""

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Delegate, User
from accounts.uploads import keeping, limits, scanning
from accounts.uploads.judging import Refused
from accounts.uploads.models import Upload, UploadStatus
from accounts.uploads.scanning import EICAR
from accounts.uploads.store import path_of
from activity.models import Event
from tests.accounts import files
from tests.conftest import Cast


@pytest.fixture(autouse=True)
def own_store(settings: object, tmp_path: Path) -> None:
    """A store of the test's own."""
    settings.UPLOADS_DIR = tmp_path  # type: ignore[attr-defined]


def keep(cast: Cast, content: bytes | None = None, name: str = "pay stub.pdf") -> Upload:
    return keeping.keep(
        files.sent(files.pdf() if content is None else content, name), by=cast.bob.user, member=cast.bob, purpose="test"
    )


def fetch(user: User, upload: Upload) -> object:
    client = Client()
    client.force_login(user)
    return client.get(upload.address)


@contextmanager
def clamd(answer: bytes, port: list[int]) -> Iterator[list[bytes]]:
    """A daemon that speaks clamd's INSTREAM and answers one thing; what it was sent."""
    server = socket.create_server(("127.0.0.1", 0))
    port.append(server.getsockname()[1])
    seen: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connected, _address = server.accept()
            except OSError:
                return
            with connected, connected.makefile("rb") as stream:
                stream.readline()
                body = b""
                while size := int.from_bytes(stream.read(4), "big"):
                    body += stream.read(size)
                seen.append(body)
                connected.sendall(b"stream: " + (b"Win.Test.EICAR FOUND" if EICAR in body else answer) + b"\n")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield seen
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def test_a_file_is_held_until_it_was_scanned_and_then_saved_by_its_owner(cast: Cast) -> None:
    """FAULTS K09."""
    upload = keep(cast)
    assert upload.status == UploadStatus.HELD
    assert fetch(cast.bob.user, upload).status_code == 404

    assert keeping.scan_waiting() == 1

    upload.refresh_from_db()
    assert upload.status == UploadStatus.CLEAN
    assert not path_of(upload.stored_as, sent=True).exists()
    response = fetch(cast.bob.user, upload)
    assert response.status_code == 200
    assert response.content.startswith(b"%PDF-")
    assert response["Content-Disposition"] == 'attachment; filename="pay stub.pdf"'
    assert response["Content-Type"] == "application/pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "no-store"


def test_nobody_but_its_sender_has_a_file(cast: Cast) -> None:
    """FAULTS K09, K13: not the holder, not a delegate, not a stranger, not staff, nor once signed out."""
    upload = keep(cast)
    keeping.scan_waiting()
    delegate = User.objects.create_user("delegate@example.com")
    Delegate.objects.create(member=cast.bob, user=delegate, grant="full")
    for user in (cast.alice.user, cast.charlie.user, delegate):
        assert fetch(user, upload).status_code == 404
    assert fetch(cast.dana, upload).status_code != 200
    assert Client().get(upload.address).status_code == 302
    assert fetch(cast.bob.user, upload).status_code == 200


def test_where_a_file_lies_nobody_can_guess_or_reach(cast: Cast, settings: object) -> None:
    """FAULTS K08, K15: a random name, outside of what is served, readable by the portal alone."""
    upload = keep(cast, name="../../static/portal.css.pdf")
    path = path_of(upload.stored_as)
    assert path.is_relative_to(settings.UPLOADS_DIR)  # type: ignore[attr-defined]
    assert len(upload.stored_as) == 64 and upload.key not in str(path) and "portal" not in str(path)
    assert path.stat().st_mode & 0o077 == 0
    client = Client()
    client.force_login(cast.bob.user)
    for address in (f"/media/{upload.stored_as}", f"/static/{upload.stored_as}", f"/uploads/{upload.stored_as}/"):
        assert client.get(address).status_code == 404


def test_the_test_virus_is_quarantined_and_never_served(cast: Cast) -> None:
    """FAULTS K10: also where cleaning would have dropped it, since what was sent is scanned too."""
    upload = keep(cast, files.infected_pdf())
    keeping.scan_waiting()
    upload.refresh_from_db()
    assert (upload.status, upload.found) == (UploadStatus.QUARANTINED, "Eicar-Signature")
    assert fetch(cast.bob.user, upload).status_code == 404
    assert keeping.scan_waiting() == 0


def test_a_scanner_that_is_down_releases_nothing(cast: Cast, settings: object) -> None:
    """FAULTS K10: the file waits, and is asked about again later."""
    settings.CLAMAV_ADDRESS = "127.0.0.1:9"  # type: ignore[attr-defined]
    upload = keep(cast)
    assert keeping.scan_waiting() == 0
    upload.refresh_from_db()
    assert upload.status == UploadStatus.HELD and upload.tries == 1 and upload.next_try_at > timezone.now()

    settings.CLAMAV_ADDRESS = ""  # type: ignore[attr-defined]
    assert keeping.scan_waiting() == 0, "it waits its pause"
    Upload.objects.update(next_try_at=timezone.now())
    assert keeping.scan_waiting() == 1


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR", b"", b"what?"])
def test_an_answer_that_says_nothing_releases_nothing(cast: Cast, settings: object, answer: bytes) -> None:
    """FAULTS K10."""
    port: list[int] = []
    with clamd(answer, port):
        settings.CLAMAV_ADDRESS = f"127.0.0.1:{port[0]}"  # type: ignore[attr-defined]
        upload = keep(cast)
        assert keeping.scan_waiting() == 0
    upload.refresh_from_db()
    assert upload.status == UploadStatus.HELD


def test_clamd_is_asked_about_what_was_sent_and_what_is_kept(cast: Cast, settings: object) -> None:
    """FAULTS K10, over a socket, as clamd speaks."""
    port: list[int] = []
    with clamd(b"OK", port) as seen:
        settings.CLAMAV_ADDRESS = f"127.0.0.1:{port[0]}"  # type: ignore[attr-defined]
        content = files.pdf()
        upload = keep(cast, content)
        kept = path_of(upload.stored_as).read_bytes()
        assert keeping.scan_waiting() == 1
    assert seen == [content, kept]
    port.clear()
    with clamd(b"OK", port):
        settings.CLAMAV_ADDRESS = f"127.0.0.1:{port[0]}"  # type: ignore[attr-defined]
        upload = keep(cast, files.infected_pdf())
        keeping.scan_waiting()
    upload.refresh_from_db()
    assert (upload.status, upload.found) == (UploadStatus.QUARANTINED, "Win.Test.EICAR")


def test_production_without_a_scanner_releases_nothing(cast: Cast, settings: object) -> None:
    """FAULTS K10: the stand-in is for the demo and the tests."""
    settings.IS_PRODUCTION = True  # type: ignore[attr-defined]
    assert isinstance(scanning.scanner(), scanning.Nobody)
    keep(cast)
    assert keeping.scan_waiting() == 0


def test_one_person_keeps_so_many_files(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS K11."""
    monkeypatch.setattr(limits, "MAX_FILES", 2)
    first = keep(cast)
    keep(cast)
    with pytest.raises(Refused) as refused:
        keep(cast)
    assert refused.value.code == "quota"
    keeping.delete(first, by=cast.bob.user)
    keep(cast)


def test_one_person_keeps_so_many_bytes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS K11: a refused file leaves nothing in the store."""
    upload = keep(cast)
    monkeypatch.setattr(limits, "MAX_TOTAL_BYTES", upload.size_bytes + 10)
    before = sorted(path_of(upload.stored_as).parents[1].rglob("*"))
    with pytest.raises(Refused):
        keep(cast)
    after = sorted(path for path in path_of(upload.stored_as).parents[1].rglob("*") if path.is_file())
    assert after == [path for path in before if path.is_file()]


def test_what_is_deleted_is_gone_and_its_history_stays(cast: Cast) -> None:
    """FAULTS K14."""
    upload = keep(cast)
    keeping.scan_waiting()
    upload.refresh_from_db()
    assert keeping.delete(upload, by=cast.bob.user)
    assert not path_of(upload.stored_as).exists()
    assert fetch(cast.bob.user, upload).status_code == 404
    kinds = list(Event.objects.filter(subject=f"upload:{upload.pk}").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["upload.received", "upload.clean", "upload.deleted"]
    assert not keeping.delete(upload, by=cast.bob.user)


def test_a_closed_case_lets_its_files_go_after_their_day(cast: Cast) -> None:
    """FAULTS K14."""
    today = timezone.localdate()
    upload, open_case = keep(cast), keep(cast)
    keeping.let_go(upload, after=today)
    assert keeping.delete_expired(today) == 0
    assert keeping.delete_expired(today + dt.timedelta(days=1)) == 1
    upload.refresh_from_db()
    assert upload.status == UploadStatus.DELETED
    assert path_of(open_case.stored_as).exists()


def test_the_database_releases_nothing_that_was_quarantined(cast: Cast) -> None:
    """FAULTS K10, past the model."""
    upload = keep(cast, files.infected_pdf())
    keeping.scan_waiting()
    for status in ("clean", "held"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_upload SET status = %s WHERE id = %s", [status, upload.pk])
    held = keep(cast)
    with pytest.raises(DatabaseError), transaction.atomic():
        Upload.objects.filter(pk=held.pk).update(status="clean")


@pytest.mark.parametrize("path", ["/guest-pay/", "/settings/language/", "/uploads/x/"])
def test_a_body_that_is_too_large_is_refused_by_its_stated_length(db: None, path: str) -> None:
    """FAULTS K07: a gigabyte is answered before a byte of it is read."""
    response = Client().generic("POST", path, b"", content_type="multipart/form-data", CONTENT_LENGTH=str(1024**3))
    assert response.status_code == 413


def test_a_thousand_parts_are_refused(cast: Cast) -> None:
    """FAULTS K07."""
    many = {f"file{number}": files.sent(b"%PDF-", "a.pdf") for number in range(1000)}
    client = Client()
    client.force_login(cast.bob.user)
    assert client.post("/settings/language/", many).status_code == 400
