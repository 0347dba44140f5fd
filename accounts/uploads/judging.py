"""What a file is, by its content: three kinds are taken, every other is refused with words that help (FAULTS K05).

Only the first bytes are looked at here. That the rest holds what they promise is found out by reading it whole, in a
process of its own (accounts.uploads.cleaning).
"""

import unicodedata
from pathlib import PurePosixPath

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.uploads.limits import MAX_BYTES, MAX_NAME

MAGIC = {"pdf": b"%PDF-", "jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}
ENDINGS = {"pdf": {"pdf"}, "jpg": {"jpg", "jpeg", "jpe", "jfif"}, "png": {"png"}}
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif")
HEAD = 16

TEXTS: dict[str, Promise] = {
    "empty": _("This file is empty."),
    "too_large": _("This file is larger than 10 MB. A photo of lower quality, or fewer pages, will do."),
    "heic": _(
        "This photo is in the HEIC format, which we cannot read. Save it as JPEG and send it again. On an iPhone:"
        " Settings, Camera, Formats, Most Compatible."
    ),
    "kind": _("We can take a PDF, a JPEG or a PNG file. This is something else."),
    "ending": _("The name of this file does not go with what is in it. Save it again as a PDF, a JPEG or a PNG."),
    "broken": _("We could not read this file. It may be damaged: save or scan it again."),
    "encrypted": _("This PDF is locked with a password. Save a copy without one and send that."),
    "too_many_pages": _("This PDF has more than 50 pages. Send the pages that matter."),
    "too_many_pixels": _("This picture is too large. Send a smaller one."),
    "quota": _("You have sent as many files as we can keep for you. Delete those you no longer need."),
}


class Refused(Exception):
    """A file that is not taken. `code` names the rule, the text says it to the member."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(str(TEXTS[code]))


def kind_of(head: bytes, *, name: str, size: int) -> str:
    """The kind of a file, by its first bytes, its name and its size; raises Refused."""
    if size == 0:
        raise Refused("empty")
    if size > MAX_BYTES:
        raise Refused("too_large")
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        raise Refused("heic")
    kind = next((kind for kind, magic in MAGIC.items() if head.startswith(magic)), None)
    if kind is None:
        raise Refused("kind")
    if PurePosixPath(name.strip()).suffix.lower().removeprefix(".") not in ENDINGS[kind]:
        raise Refused("ending")
    return kind


def stem_of(name: str) -> str:
    """A file's name as it is shown and saved: no path, no ending, no mark that turns or hides text (FAULTS K08)."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    stem = PurePosixPath(name).stem if "." in name.strip(".") else name
    plain = "".join(
        character if unicodedata.category(character)[0] in "LNM" or character in " -_()" else "_" for character in stem
    )
    return " ".join(plain.split()).strip("_ ")[:MAX_NAME] or "document"
