"""Files as members send them, and as attackers do."""

import struct
import zlib
from io import BytesIO

import pikepdf
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.uploads.scanning import EICAR


def pdf(*, pages: int = 1, actions: bool = False, author: str = "Alice Rivera", tail: bytes = b"") -> bytes:
    """A PDF; with scripts, an attachment and every way to start them where `actions`."""
    made = pikepdf.new()
    for _page in range(pages):
        made.add_blank_page(page_size=(300, 200))
    made.docinfo["/Author"] = author
    if actions:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('canary-script')")
        made.Root.OpenAction = made.make_indirect(script)
        made.Root.Names = pikepdf.Dictionary(
            JavaScript=pikepdf.Dictionary(Names=pikepdf.Array(["run", made.make_indirect(script)]))
        )
        made.Root.AA = pikepdf.Dictionary(WC=script)
        made.pages[0].obj.AA = pikepdf.Dictionary(O=script)
        made.pages[0].obj.Annots = pikepdf.Array(
            [
                pikepdf.Dictionary(
                    Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 99, 99],
                    A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F="canary-launch.exe"),
                )
            ]
        )  # fmt: skip
        made.attachments["evil.exe"] = b"MZ canary-attachment"
    out = BytesIO()
    made.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False)
    return out.getvalue() + tail


def locked_pdf() -> bytes:
    """A PDF that asks for a password."""
    made = pikepdf.new()
    made.add_blank_page()
    out = BytesIO()
    made.save(out, encryption=pikepdf.Encryption(owner="owner", user="user"))
    return out.getvalue()


def picture(kind: str = "JPEG", *, size: tuple[int, int] = (40, 20), place: bool = False) -> bytes:
    """A picture; with a place, an author and a side to turn where `place`."""
    made = Image.new("RGB", size, (200, 30, 30))
    out = BytesIO()
    exif = Image.Exif()
    if place:
        exif[0x013B] = "canary-author"
        exif[0x0112] = 6  # to be turned
        exif.get_ifd(0x8825)[2] = (37.0, 48.0, 30.0)
    made.save(out, kind, exif=exif)
    return out.getvalue()


def huge_png(side: int) -> bytes:
    """The head of a PNG of side x side pixels, and pixels that are all the same: small here, large once read."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = b"\0" + b"\0" * (side // 8)
    squeezed = zlib.compressobj(9)
    body = b"".join(squeezed.compress(row) for _ in range(min(side, 2000))) + squeezed.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def infected_pdf() -> bytes:
    """A PDF with the test virus after its end."""
    return pdf(tail=b"\n" + EICAR + b"\n%%EOF\n")


def sent(content: bytes, name: str = "pay stub.pdf", content_type: str = "application/pdf") -> SimpleUploadedFile:
    """A file as a form brings it."""
    return SimpleUploadedFile(name, content, content_type)
