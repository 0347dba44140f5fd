"""A file read whole and written anew with nothing but its pages or pixels, in a process that can be ended.

Run as `python -m accounts.uploads.cleaning KIND` with the file as its input: whatever a hostile file does to a decoder,
it does to this process alone, which sets its own bounds of memory and time first. It knows nothing of Django.
"""

import json
import os
import resource
import subprocess
import sys
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pikepdf
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[2]
MAX_MEMORY_BYTES = 1024 * 1024 * 1024  # of addresses, libraries included
MAX_PIXELS = 40_000_000
MAX_SIDE = 4_000  # pixels kept: a page of A4 at 340 dots an inch
MAX_PAGES = 50
MAX_OBJECTS = 50_000
MAX_DEPTH = 60
JPEG_QUALITY = 88
REFUSED = 3  # the process's answer where it has judged the file, and not merely died of it
CODES = ("broken", "encrypted", "too_many_pages", "too_many_pixels")
# What does something by itself, carries another file, or tells of the maker (ISO 32000-2, 12.6, 7.11, 14.3).
DROPPED = (
    "/AA", "/OpenAction", "/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/AF", "/XFA", "/Collection", "/RichMedia",
    "/Metadata", "/PieceInfo", "/LastModified", "/Perms", "/URI",
)  # fmt: skip


class Unfit(Exception):  # noqa: N818
    """The file is refused; the text is one of CODES."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The file as it is kept, and how many pages it has."""

    content: bytes
    pages: int


def clean(content: bytes, *, kind: str, seconds: int) -> Cleaned:
    """Have a file cleaned in a process of its own. Raises Unfit, also where the process dies of it or is not done."""
    command = [sys.executable, "-m", "accounts.uploads.cleaning", kind]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=seconds, cwd=ROOT, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unfit("broken") from error
    if done.returncode == REFUSED and (code := done.stdout.decode("ascii", "replace")) in CODES:
        raise Unfit(code)
    if done.returncode != 0:
        raise Unfit("broken")
    head, _newline, body = done.stdout.partition(b"\n")
    return Cleaned(body, json.loads(head)["pages"])


def clean_here(content: bytes, *, kind: str) -> Cleaned:
    """What the process does: write the file anew. Raises Unfit, or whatever a decoder raises."""
    return _document(content) if kind == "pdf" else _picture(content, kind)


def _picture(content: bytes, kind: str) -> Cleaned:
    """The pixels, upright, and nothing else: no place, no author, no thumbnail, no bytes after the end."""
    of_kind = {"jpg": "JPEG", "png": "PNG"}[kind]
    with Image.open(BytesIO(content), formats=[of_kind]) as image:  # reads the head alone
        if image.width * image.height > MAX_PIXELS:
            raise Unfit("too_many_pixels")
        if getattr(image, "n_frames", 1) > 1:
            image.seek(0)
        image.load()
        upright = ImageOps.exif_transpose(image)
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    out = BytesIO()
    if kind == "png" and upright.mode in ("RGBA", "LA", "P", "1", "L", "I;16"):
        pixels = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    else:
        pixels = upright.convert("RGB")
    bare = Image.new(pixels.mode, pixels.size)
    bare.paste(pixels)
    bare.save(out, of_kind, **({"quality": JPEG_QUALITY} if kind == "jpg" else {}))
    return Cleaned(out.getvalue(), 1)


def _document(content: bytes) -> Cleaned:
    """The pages without scripts, actions, forms, attachments and metadata."""
    try:
        pdf = pikepdf.open(BytesIO(content), attempt_recovery=False, suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise Unfit("encrypted") from error
    with pdf:
        if pdf.is_encrypted:
            raise Unfit("encrypted")
        if len(pdf.objects) > MAX_OBJECTS:
            raise Unfit("broken")
        pages = len(pdf.pages)
        if not pages:
            raise Unfit("broken")
        if pages > MAX_PAGES:
            raise Unfit("too_many_pages")
        _flatten(pdf)
        for key in ("/AcroForm", "/Names", "/Outlines", "/Extensions"):
            if key in pdf.Root:
                del pdf.Root[key]
        for thing in pdf.objects:
            _strip(thing, 0)
        if "/Info" in pdf.trailer:
            del pdf.trailer["/Info"]
        out = BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return Cleaned(out.getvalue(), pages)


def _flatten(pdf: pikepdf.Pdf) -> None:
    """Draw filled-in fields and notes into their pages, so that what was typed stays when forms and notes go."""
    pdf.generate_appearance_streams()
    pdf.flatten_annotations("screen")
    for page in pdf.pages:
        if "/Annots" in page.obj:
            del page.obj["/Annots"]


def _strip(thing: object, depth: int) -> None:
    """Drop what acts from an object and from what stands within it; what it refers to is an object of its own."""
    if depth > MAX_DEPTH:
        raise Unfit("broken")
    if isinstance(thing, pikepdf.Array):
        for inner in thing:
            if not getattr(inner, "is_indirect", False):
                _strip(inner, depth + 1)
    elif isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
        for key in list(thing.keys()):
            value = thing[key]
            if key in DROPPED or _is_action(key, value):
                del thing[key]
            elif not getattr(value, "is_indirect", False):
                _strip(value, depth + 1)


def _is_action(key: str, value: object) -> bool:
    """Whether an entry holds an action (`/A`, or the next of another), not an attribute of the same name."""
    if key == "/Next" or key == "/A":
        return isinstance(value, pikepdf.Dictionary) and "/S" in value
    return False


def main() -> None:
    """Read the file, write a line of facts and the cleaned file; or a code, and end with REFUSED."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # _picture refuses by our own bound, before anything is decoded
    try:
        cleaned = clean_here(sys.stdin.buffer.read(), kind=sys.argv[1])
    except Unfit as error:
        sys.stdout.write(str(error))
        sys.exit(REFUSED)
    except Exception:  # noqa: BLE001  # whatever a decoder makes of a hostile file
        sys.stdout.write("broken")
        sys.exit(REFUSED)
    sys.stdout.buffer.write(json.dumps({"pages": cleaned.pages}).encode() + b"\n" + cleaned.content)


if __name__ == "__main__":
    main()
