"""Imports that staff upload: kept, worked off once, with progress and what was not taken."""

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts.roles import Role
from activity.models import Event
from bills.imports import running, uploads
from bills.models import Bill, ImportBatch
from bills.tasks import import_uploads
from tests.conftest import Cast
from tests.staff.conftest import make_staff, sign_in

BROKEN = b"this is no csv of ours\n1;2;3\n"


@pytest.fixture
def media(settings, tmp_path):
    """Uploads go to a folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def upload(client: Client, content: bytes = BROKEN, name: str = "bills.csv", kind: str = "csv"):
    """Send the upload form."""
    return client.post("/admin/bills/importbatch/upload/", {"format": kind, "file": SimpleUploadedFile(name, content)})


def test_an_upload_waits_for_a_worker_and_its_page_follows_it(cast, media):
    client = sign_in(Client(), make_staff(Role.BILLING))
    answer = upload(client)
    batch = ImportBatch.objects.get()
    assert answer.headers["Location"] == f"/admin/bills/importbatch/{batch.pk}/change/"
    assert (batch.status, batch.file_name, batch.started_by.email) == (
        "waiting",
        "bills.csv",
        "billing@staff.example.com",
    )
    assert client.get(answer.headers["Location"]).headers["Refresh"] == "2"
    import_uploads()
    batch.refresh_from_db()
    assert batch.status in ("refused", "finished")
    page = client.get(answer.headers["Location"])
    assert "Refresh" not in page.headers
    assert Event.objects.filter(kind="import.uploaded", subject=f"import:{batch.pk}").exists()
    for number in ("9" * 19, "9" * 5000):  # more than an id holds, and more than Python makes a number of
        assert client.get(f"/admin/bills/importbatch/{number}/change/").status_code == 302


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b/c.csv", "x" * 300 + ".csv", "bill\x00s.csv", "é.php"])
def test_a_files_name_leads_nowhere(cast, media, name):
    """The file is kept under a name of our own; the given one is only shown."""
    client = sign_in(Client(), make_staff(Role.BILLING))
    upload(client, name=name)
    batch = ImportBatch.objects.get()
    kept = list(media.rglob("*.*"))
    assert [path.parent for path in kept] == [media / "imports"]
    assert kept[0].suffix == ".csv"
    assert "/" not in batch.file_name


def test_an_empty_file_and_one_that_is_too_large_are_refused(cast, media, monkeypatch):
    client = sign_in(Client(), make_staff(Role.BILLING))
    assert upload(client, b"").status_code == 422
    monkeypatch.setattr(uploads, "MAX_BYTES", 10)
    assert upload(client, b"x" * 11).status_code == 422
    assert upload(client, kind="exe").status_code == 422
    assert not ImportBatch.objects.exists()


def test_a_worker_that_was_killed_leaves_its_upload_to_the_next(cast, media):
    """FAULTS D: `running` without anybody who runs it is taken up again."""
    client = sign_in(Client(), make_staff(Role.BILLING))
    upload(client)
    ImportBatch.objects.update(status="running")
    import_uploads()
    assert ImportBatch.objects.get().status in ("refused", "finished")


def test_an_upload_is_worked_off_by_one_worker_at_a_time(real_cast: Cast, media, monkeypatch):
    client = sign_in(Client(), make_staff(Role.BILLING))
    upload(client)
    begun, runs = threading.Event(), []
    go_on = threading.Event()
    really = running.run

    def slow(batch_id: int):
        runs.append(batch_id)
        begun.set()
        go_on.wait(10)
        return really(batch_id)

    monkeypatch.setattr(running, "run", slow)

    def work() -> None:
        uploads.work_off()
        connection.close()

    first = threading.Thread(target=work)
    first.start()
    assert begun.wait(10)
    uploads.work_off()
    go_on.set()
    first.join()
    uploads.work_off()
    assert len(runs) == 1
    assert not Bill.objects.exists()
