"""What members send is judged by content, and kept without anything but its pages or pixels."""

import time
from io import BytesIO

import pikepdf
import pytest
from PIL import Image

from accounts.uploads import cleaning, judging, keeping
from accounts.uploads.judging import Refused, stem_of
from accounts.uploads.models import Upload
from accounts.uploads.store import path_of
from tests.accounts import files
from tests.conftest import Cast

HTML = b"<html><script>alert(1)</script></html>"
ZIPPED = b"PK\x03\x04" + b"word/vbaProject.bin" * 9


@pytest.fixture(autouse=True)
def own_store(settings: object, tmp_path: object) -> None:
    """A store of the test's own."""
    settings.UPLOADS_DIR = tmp_path  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (HTML, "page.html", "kind"),
        (HTML, "page.pdf", "kind"),
        (b"<svg onload=alert(1)>", "picture.svg", "kind"),
        (b"alert(1)", "code.js", "kind"),
        (b"MZ\x90\0", "run.exe", "kind"),
        (b"<?php echo 1;", "page.php", "kind"),
        (HTML + files.pdf(), "both.pdf", "kind"),
        (ZIPPED, "macro.docm", "kind"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "photo.heic", "heic"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "photo.jpg", "heic"),
        (b"", "nothing.pdf", "empty"),
        (files.pdf(), "stub.jpg", "ending"),
        (files.pdf(), "stub.pdf.exe", "ending"),
        (files.pdf(), "stub", "ending"),
        (b"%PDF-1.7\nrubbish", "stub.pdf", "broken"),
        (b"\xff\xd8\xff\xe0 rubbish", "photo.jpg", "broken"),
        (files.picture()[:400], "photo.jpg", "broken"),
        (b"\x89PNG\r\n\x1a\nrubbish", "photo.png", "broken"),
        (files.locked_pdf(), "stub.pdf", "encrypted"),
        (files.pdf(pages=51), "stub.pdf", "too_many_pages"),
        (files.pdf() + b"%" * judging.MAX_BYTES, "stub.pdf", "too_large"),
    ],
)
def test_what_is_not_one_of_three_kinds_whole_is_refused(cast: Cast, content: bytes, name: str, code: str) -> None:
    """FAULTS K05."""
    with pytest.raises(Refused) as refused:
        keeping.keep(files.sent(content, name), by=cast.alice.user, member=cast.alice, purpose="test")
    assert refused.value.code == code
    assert not Upload.objects.exists()


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(cast: Cast) -> None:
    """FAULTS K06: 50,000 x 50,000 pixels, and one that says so with little behind it."""
    began = time.monotonic()
    with pytest.raises(Refused, match="too large"):
        keeping.keep(
            files.sent(files.huge_png(50_000), "bomb.png"), by=cast.alice.user, member=cast.alice, purpose="test"
        )
    assert time.monotonic() - began < 5


def test_a_decoder_that_dies_or_takes_all_time_ends_alone(cast: Cast) -> None:
    """FAULTS K06: the bounds are those of its own process."""
    with pytest.raises(cleaning.Unfit, match="broken"):
        cleaning.clean(files.pdf(), kind="pdf", seconds=0)
    with pytest.raises(cleaning.Unfit, match="broken"):
        cleaning.clean(files.pdf(), kind="no-such-kind", seconds=20)


def test_a_pdf_loses_what_acts_and_who_made_it_and_keeps_its_pages() -> None:
    """FAULTS K05, K12."""
    dirty = files.pdf(pages=3, actions=True, author="canary-author", tail=HTML)
    assert b"canary-script" in dirty and b"canary-author" in dirty

    cleaned = cleaning.clean_here(dirty, kind="pdf")

    assert cleaned.pages == 3
    with pikepdf.open(BytesIO(cleaned.content)) as pdf:
        assert len(pdf.pages) == 3
        assert not pdf.attachments
        everything = b"".join(thing.unparse(resolved=False) for thing in pdf.objects)
    for mark in (b"canary", b"JavaScript", b"/AA", b"OpenAction", b"/Launch", b"<script>", b"EmbeddedFile"):
        assert mark not in cleaned.content and mark not in everything, mark


def test_what_was_typed_into_a_form_stays_on_its_page() -> None:
    """A filled-in tax form is a proof of income: its fields are drawn before the form goes."""
    form = pikepdf.new()
    form.add_blank_page(page_size=(300, 200))
    look = form.make_stream(
        b"BT /F 12 Tf (4217 dollars) Tj ET",
        {"/Type": pikepdf.Name.XObject, "/Subtype": pikepdf.Name.Form, "/BBox": [0, 0, 200, 20]},
    )
    field = form.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="income", V="4217 dollars",
            Rect=[10, 10, 210, 30], F=4, AP=pikepdf.Dictionary(N=look), P=form.pages[0].obj,
        )
    )  # fmt: skip
    form.pages[0].obj.Annots = pikepdf.Array([field])
    form.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]))
    out = BytesIO()
    form.save(out)

    cleaned = cleaning.clean_here(out.getvalue(), kind="pdf")

    with pikepdf.open(BytesIO(cleaned.content)) as pdf:
        assert "/AcroForm" not in pdf.Root
        drawn = b"".join(thing.read_bytes() for thing in pdf.objects if isinstance(thing, pikepdf.Stream))
    assert b"4217 dollars" in drawn


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "photo.jpg"), ("PNG", "photo.png")])
def test_a_picture_loses_place_and_author_and_stands_upright(cast: Cast, kind: str, name: str) -> None:
    """FAULTS K12."""
    content = files.picture(kind, place=True) + HTML
    assert b"canary-author" in content
    upload = keeping.keep(files.sent(content, name), by=cast.alice.user, member=cast.alice, purpose="test")
    kept = path_of(upload.stored_as).read_bytes()
    assert b"canary-author" not in kept and b"<script>" not in kept
    with Image.open(BytesIO(kept)) as image:
        assert not image.getexif()
        assert image.size == (20, 40)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../../etc/passwd.pdf", "passwd"),
        ("C:\\Users\\alice\\stub.pdf", "stub"),
        ("stub\0.pdf", "stub"),
        ("stub\r\nX-Header: 1.pdf", "stub__X-Header_ 1"),
        ("gnp.\u202efdp.pdf", "gnp__fdp"),
        ("Nómina de María.pdf", "Nómina de María"),
        ("stub.php.pdf", "stub_php"),
        ("...", "document"),
        ("", "document"),
        ("x" * 300 + ".pdf", "x" * 100),
    ],
)
def test_a_name_keeps_its_words_and_nothing_that_acts(name: str, stem: str) -> None:
    """FAULTS K08."""
    assert stem_of(name) == stem
