"""What goes by post: notices that no mail reaches with their PDFs, and documents for those who want them on paper."""

import datetime as dt
import io
from pathlib import Path

import pypdf
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Household, Member, User
from activity.recording import record
from bills.models import GracePeriod
from notifications import notices
from notifications.models import Notification
from tests.assistance.asking import approved
from tests.bills.test_claim_pages import make_claim
from tests.conftest import Cast
from tests.factories import make_bill, make_grace
from tests.payments.pages import signed_in

COMPLAINT = "www.dmhc.ca.gov"


@pytest.fixture(autouse=True)
def home(cast: Cast) -> None:
    """Where the household's post goes."""
    Household.objects.filter(pk=cast.household.pk).update(address="1 Elm Street", city="Oakland", state="CA")


def read(pdf: bytes) -> str:
    """What a PDF says, as one line."""
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


def printed(folder: Path, document: str, since: dt.date | None = None) -> list[str]:
    """Print the documents of a kind up to today; the names of their files, which `list.csv` gives too."""
    today = timezone.localdate()
    call_command("print_papers", document=document, since=str(since or today), until=str(today), to=str(folder))
    files = sorted(path.name for path in folder.iterdir() if path.suffix == ".pdf")
    rows = (folder / "list.csv").read_text().splitlines()[1:]
    assert sorted(row.split(",")[0] for row in rows) == files and all("1 Elm Street" in row for row in rows)
    return files


def test_who_has_no_sign_in_gets_the_notices_of_grace_themselves(cast: Cast, tmp_path: Path) -> None:
    """L17; 28 CCR 1300.65: the start and the end of it, each with where to complain."""
    Member.objects.filter(pk=cast.alice.pk).update(user=None)
    running, ended = make_grace(cast.alice), make_grace(cast.alice, status=GracePeriod.Status.ENDED)
    for kind, grace in (("began", running), ("ended", ended)):
        record(f"coverage.grace_{kind}", subject=f"grace:{grace.pk}", actor="system", grace_id=grace.pk, times=1)
    make_bill(cast.alice, issued_on=timezone.localdate())
    notices.make()
    call_command("list_letters", to=str(tmp_path / "out"))
    rows = [row.split(",") for row in (tmp_path / "out" / "list.csv").read_text().splitlines()]
    names = {row[1]: row[-1] for row in rows}
    plain = read((tmp_path / "out" / names["new_bill"]).read_bytes())
    assert names["kind"] == "file" and all(row[-1] for row in rows)
    assert all(word in plain for word in ("Alice Rivera", "1 Elm Street", "$185.00", "no sign-in")), plain
    assert "Oakridge" not in plain and "Outpatient" not in plain
    start = read((tmp_path / "out" / names["grace_began"]).read_bytes())
    end = read((tmp_path / "out" / names["coverage_ended"]).read_bytes())
    assert "Notice of start of grace period" in start and COMPLAINT in start
    assert "Notice of end of coverage" in end and COMPLAINT in end and "last day of coverage was" in end
    with pytest.raises(CommandError):
        call_command("list_letters", to=str(tmp_path / "out"))


def test_what_a_mail_could_not_bring_is_a_plain_letter_in_its_readers_language(cast: Cast, tmp_path: Path) -> None:
    """Of a bill that its reader may not see any more it says no more than that there is news."""
    User.objects.filter(pk=cast.alice.user_id).update(language="es")
    own, bobs = make_bill(cast.alice, amount_cents=12_345), make_bill(cast.bob, amount_cents=67_891)
    for bill in (own, bobs):
        Notification.objects.create(
            dedupe_key=bill.number,
            user=cast.alice.user,
            kind="new_bill",
            channel="letter",
            subject=f"bill:{bill.number}",
        )
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    call_command("list_letters", to=str(tmp_path / "out"))
    files = sorted((tmp_path / "out").glob("*.pdf"), key=lambda path: int(path.stem.removeprefix("letter-")))
    first, second = (read(path.read_bytes()) for path in files)
    assert "$123.45" in first and own.number in first and "correo electrónico" in first and "1 Elm Street" in first
    assert "$" not in second and bobs.number not in second and "correo electrónico" in second


def test_bills_and_explanations_are_printed_for_who_wants_them_on_paper_and_nobody_elses(
    cast: Cast, tmp_path: Path
) -> None:
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    today = timezone.localdate()
    bill, _own = (make_bill(member, issued_on=today) for member in (cast.maya, cast.bob))
    claim, _apart = make_claim(cast.maya, processed_on=today), make_claim(cast.bob, processed_on=today)
    assert printed(tmp_path / "bills", "bills") == [f"bill-{bill.number}.pdf"]
    assert printed(tmp_path / "claims", "explanations") == [f"explanation-{claim.pk}.pdf"]
    text = read((tmp_path / "bills" / f"bill-{bill.number}.pdf").read_bytes())
    assert "$185.00" in text and "Member Services" in text
    Household.objects.update(has_paperless_bills=True, has_paperless_explanations=True)
    assert printed(tmp_path / "none", "bills") == printed(tmp_path / "nothing", "explanations") == []
    with pytest.raises(CommandError):
        call_command("print_papers", document="bills", since="today", until="x", to=str(tmp_path / "x"))


def test_letters_are_printed_for_who_wants_them_on_paper(cast: Cast, tmp_path: Path) -> None:
    grace = make_grace(cast.alice, status=GracePeriod.Status.ENDED)
    both = [f"end-of-coverage-{grace.pk}.pdf", f"grace-{grace.pk}.pdf"]
    assert printed(tmp_path / "all", "letters", grace.noticed_on) == both
    assert printed(tmp_path / "end", "letters") == both[:1]
    Household.objects.update(has_paperless_letters=True)
    assert printed(tmp_path / "none", "letters", grace.noticed_on) == []


def test_a_letter_about_help_is_printed_with_the_languages_in_which_it_is_explained(cast: Cast, tmp_path: Path) -> None:
    approved(cast.alice, cast.dana)
    files = printed(tmp_path / "help", "letters")
    assert files and all(name.startswith("help-") for name in files)
    for name in files:
        assert "interpreters for other languages at no cost" in read((tmp_path / "help" / name).read_bytes())


def test_the_notice_of_the_end_stands_among_the_documents(cast: Cast) -> None:
    running, ended = make_grace(cast.alice), make_grace(cast.alice, status=GracePeriod.Status.ENDED)
    alice = signed_in(cast.alice)
    page, address = alice.get("/documents/?kind=letter").content.decode(), f"/premiums/grace/{ended.pk}/?about=end"
    assert "Notice of end of coverage" in page and address in page and f"/{running.pk}/?about=end" not in page
    answer = alice.get(address)
    assert COMPLAINT in read(answer.content) and "end-of-coverage" in answer["Content-Disposition"]
    assert alice.get(f"/premiums/grace/{running.pk}/?about=end").status_code == 404
    assert signed_in(cast.charlie).get(address).status_code == 404
