"""Files as streams of FHIR resources: one at a time, whatever the size of the file, within stated bounds."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import ijson
import orjson

from bills.imports.problems import FileRefused, Problem, Refused
from bills.imports.values import Json, dictionary, objects

MAX_RECORD_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 100
MAX_FILES = 100_000
SNIFF_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
SUFFIXES = {"fhir": (".json", ".ndjson"), "csv": (".csv",)}

# A float keeps 15 significant digits exactly as written; beyond that a line is read again, number by number, as text.
_DIGITS_AS_ONE = bytes.maketrans(b"123456789", b"000000000")
_LONG_DECIMAL = b"." + b"0" * 9
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')

# Those that others refer to come first: who provides, who is covered, by what, and only then what it cost.
ORDER = ("Organization", "Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Coverage", "Claim")
LAST = len(ORDER)


@dataclass(slots=True)
class Item:
    """One resource, or why there is none, and where it stands: the line, or the entry of the Bundle."""

    line: int
    resource: Json | None
    full_url: str = ""
    problem: Problem | None = None
    size: int = 0  # bytes of the source that it took


def expand(paths: Iterable[Path], file_format: str) -> list[Path]:
    """The files of these paths; of a folder all of the format's endings, those that others refer to first.

    Raises FileRefused for a path that is missing, cannot be read, or holds no such file.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if p.suffix.lower() in SUFFIXES[file_format] and p.is_file()]
            if not inside:
                raise FileRefused("empty_folder", f"{path.name}: the folder holds no {file_format} file.")
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise FileRefused("missing", f"{path}: there is no such file or folder.")
    if len(files) > MAX_FILES:
        raise FileRefused("too_many_files", f"More than {MAX_FILES} files: import them in parts.")
    if file_format == "fhir":
        files.sort(key=_rank)
    return files


def digest(path: Path) -> str:
    """SHA-256 of the file, read in pieces. Raises FileRefused where it cannot be read."""
    seen = sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1024 * 1024):
                seen.update(piece)
    except OSError as error:
        raise FileRefused("unreadable", f"{path.name}: the file cannot be read.") from error
    return seen.hexdigest()


def types_in(path: Path) -> list[str]:
    """The resource types that the first part of a file names, in their order."""
    try:
        with path.open("rb") as file:
            return [name.decode() for name in _TYPE.findall(file.read(SNIFF_BYTES))]
    except OSError as error:
        raise FileRefused("unreadable", f"{path.name}: the file cannot be read.") from error


def _rank(path: Path) -> int:
    found = [name for name in types_in(path) if name != "Bundle"]
    return ORDER.index(found[0]) if found and found[0] in ORDER else LAST


def read(path: Path) -> Iterator[Item]:
    """Every resource of a file. Raises FileRefused where it is not FHIR JSON at all."""
    with path.open("rb") as file:
        start = file.read(SNIFF_BYTES)
        file.seek(0)
        _refuse_other_formats(start)
        yield from _lines(file) if path.suffix.lower() == ".ndjson" or _is_lines(start) else _document(file)


def _is_lines(start: bytes) -> bool:
    """Whether this is NDJSON whatever its name: a whole object on the first line, and another after it."""
    first, _newline, rest = start.strip().partition(b"\n")
    if not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False


def _refuse_other_formats(start: bytes) -> None:
    begun = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not begun:
        raise FileRefused("empty_file", "The file is empty.")
    if begun.startswith(b"ISA"):
        version = re.search(rb"GS.HC.*?|0040\d\d|0050\d\dX?\w*", begun)
        named = version.group().decode("ascii", "replace") if version else "unknown version"
        old = " Version 4010 is not accepted at all." if named.startswith("0040") else ""
        raise FileRefused("x12", f"This is X12 ({named}), not FHIR.{old}")
    if begun.startswith(b"<"):
        raise FileRefused("xml", "FHIR in XML is not read: ask the sender for JSON.")
    if begun[:1] not in (b"{", b"["):
        raise FileRefused("not_json", "The file is not JSON: FHIR files begin with { on their first line.")


def parse(line: bytes) -> Any:
    """The value of a line of JSON, its numbers as exact as they are written. Raises Refused where it is none."""
    try:
        value = orjson.loads(line)
        return next(iter(ijson.items(line, ""))) if _LONG_DECIMAL in line.translate(_DIGITS_AS_ONE) else value
    except (orjson.JSONDecodeError, ijson.JSONError, StopIteration) as error:
        raise Refused("json", "The line is not JSON, or nested too deep.") from error


def _lines(file: BinaryIO) -> Iterator[Item]:
    """Each line of NDJSON; a line beyond the bound is read past, never held."""
    number = 0
    while line := file.readline(MAX_RECORD_BYTES + 1):
        number += 1
        if len(line) > MAX_RECORD_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(READ_BYTES)
            yield Item(number, None, problem=_too_long())
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.isspace():
            continue
        try:
            resource = parse(line)
        except Refused as problem:
            yield Item(number, None, problem=problem)
            continue
        for item in _resources(number, resource):
            item.size = len(line)
            yield item


def _too_long() -> Refused:
    return Refused("too_long", f"The record is longer than {MAX_RECORD_BYTES // 1024 // 1024} MB.")


def _resources(number: int, resource: object, full_url: str = "") -> Iterator[Item]:
    """The resource, or those of the Bundle that it is."""
    if not isinstance(resource, dict):
        yield Item(number, None, problem=Refused("json", "The record is not a JSON object."))
    elif resource.get("resourceType") == "Bundle":
        for entry in objects(resource.get("entry")):
            yield from _entry(number, entry)
    else:
        yield Item(number, resource, full_url)


def _entry(number: int, entry: Json) -> Iterator[Item]:
    if "resource" in entry:
        yield from _resources(number, entry["resource"], _text(entry.get("fullUrl")))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class _Bounded:
    """A file that refuses to be read further than the bound since the last record."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.since = 0

    def read(self, size: int = -1) -> bytes:
        piece = self.file.read(READ_BYTES if size < 0 else min(size, READ_BYTES))
        self.since += len(piece)
        if self.since > MAX_RECORD_BYTES:
            raise _too_long()
        return piece


def _document(file: BinaryIO) -> Iterator[Item]:
    """The resources of one JSON document: a resource, or a Bundle, of which one entry at a time is held."""
    bounded = _Bounded(file)
    number = 0
    try:
        for is_entry, value in _built(bounded):
            size, bounded.since = bounded.since, 0
            if is_entry:
                number += 1
                found = list(_entry(number, dictionary(value)))
            else:
                found = [] if value.get("resourceType") == "Bundle" else list(_resources(1, value))
            for item in found:
                item.size = size
                yield item
    except Refused as problem:
        yield Item(number + 1, None, problem=problem)
    except ijson.JSONError:
        yield Item(number + 1, None, problem=Refused("json", "The file is not valid JSON from here on."))


def _built(file: _Bounded) -> Iterator[tuple[bool, Any]]:
    """The elements of the top object's `entry` as they end (True), and then what remains of it (False).

    Raises Refused beyond MAX_DEPTH, before anything of that depth is built.
    """
    stack: list[Any] = []
    key = ""
    keys: list[str] = []
    for event, value in ijson.basic_parse(file, use_float=False):
        if event == "map_key":
            key = value
            continue
        if event in ("start_map", "start_array"):
            if len(stack) >= MAX_DEPTH:
                raise Refused("json", f"The JSON is nested deeper than {MAX_DEPTH} levels.")
            stack.append({} if event == "start_map" else [])
            keys.append(key)
            continue
        if event in ("end_map", "end_array"):
            value = stack.pop()
            key = keys.pop()
        if not stack:
            if not isinstance(value, dict):
                raise Refused("json", "The file is not a JSON object.")
            yield False, value
        elif len(stack) == 2 and keys[1] == "entry" and isinstance(stack[1], list):
            yield True, value
        elif isinstance(stack[-1], dict):
            stack[-1][key] = value
        else:
            stack[-1].append(value)


def count(path: Path, mark: bytes) -> int:
    """How often a mark stands in a file; at least 1."""
    found = 0
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            found += piece.count(mark)
    return max(1, found)
