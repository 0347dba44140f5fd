"""FHIR R4 files: from a stream of resources to what the importers take, chunk by chunk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bills.imports import coverages, eob, files, invoices, labels, people, taking
from bills.imports.files import Item
from bills.imports.problems import Problem, Refused
from bills.imports.records import Record
from bills.imports.run import Rejected, Run, Tally
from bills.imports.taking import Incoming
from bills.imports.values import Json, dictionary, instant_of, resource_id, text, version_of

CHUNK_RECORDS = 1000
CHUNK_BYTES = 16 * 1024 * 1024

Reader = Callable[..., Record]
READERS: dict[str, Reader] = {"ExplanationOfBenefit": eob.read, "Invoice": invoices.read}
NAMED = ("Organization", "Practitioner")
WHY_SKIPPED = {
    "Account": "Account: it carries no amount in R4, its invoices do",
    "ChargeItem": "ChargeItem: it is billed by its invoice",
    "Claim": "Claim: not yet processed, its explanation of benefits is",
}


def chunks(paths: Iterable[Path], run: Run) -> Iterator[Sequence[Item]]:
    """The resources of the files, at most CHUNK_RECORDS or CHUNK_BYTES of them at a time."""
    held: list[Item] = []
    size = 0
    for path in paths:
        for item in files.read(path):
            held.append(item)
            size += item.size
            if len(held) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield held
                held, size = [], 0
        if held and run.prefix:  # in a folder each file is its own chunk, and its name stands before its rejects
            yield held
            held, size = [], 0
    if held:
        yield held


def learn_families(paths: Iterable[Path], run: Run) -> None:
    """Read the files of Coverages ahead: a dependant belongs to the subscriber's household from the first."""
    for path in paths:
        if next((name for name in files.types_in(path) if name != "Bundle"), "") == "Coverage":
            coverages.learn(
                (item.resource for item in files.read(path) if item.resource and _type(item.resource) == "Coverage"),
                run,
            )


def take(items: Sequence[Item], run: Run, tally: Tally, *, again: bool = False) -> None:
    """Take a chunk of resources: people first, then what covers them, then what it cost."""
    by_type: dict[str, list[Item]] = {}
    for item in items:
        if item.problem is not None:
            tally.counts["refused"] += 1
            tally.rejected.append(Rejected(item.line, item.problem))
        else:
            by_type.setdefault(_type(item.resource or {}), []).append(item)
    _learn(by_type, run)
    coverages.learn((item.resource or {} for item in by_type.get("Coverage", ())), run)
    if patients := by_type.pop("Patient", None):
        people.take(patients, run, tally)
    if covered := by_type.pop("Coverage", None):
        coverages.take(covered, run, tally)
    incoming: list[Incoming] = []
    for name, reader in READERS.items():
        for item in by_type.pop(name, ()):
            try:
                incoming.append(_incoming(item, name, reader, run))
            except Problem as problem:
                tally.counts["refused"] += 1
                tally.rejected.append(Rejected(item.line, problem))
    for name, others in by_type.items():
        for item in others:
            if name:
                tally.skip(WHY_SKIPPED.get(name, name))
            else:
                tally.counts["refused"] += 1
                tally.rejected.append(
                    Rejected(item.line, Refused("resource_type", "The record has no resourceType.", "resourceType"))
                )
    if incoming:
        taking.take(incoming, run, tally, again=again)


def _type(resource: Json) -> str:
    return text(resource.get("resourceType"), 40)


def _learn(by_type: dict[str, list[Item]], run: Run) -> None:
    """Remember the full URLs of the chunk, and what organizations and practitioners are called."""
    for name in (*NAMED, "Patient"):
        for item in by_type.get(name, ()):
            resource = item.resource or {}
            try:
                key = f"{name}/{resource_id(resource, item.full_url.rpartition(':')[2])}"
            except Refused:
                continue
            resource.setdefault("id", key.partition("/")[2])
            run.learn_alias(item.full_url, key)
            if name in NAMED:
                run.names.learn(key, eob.name_of(resource))


def _incoming(item: Item, name: str, reader: Reader, run: Run) -> Incoming:
    resource = item.resource or {}
    urn = item.full_url.removeprefix("urn:uuid:") if item.full_url.startswith("urn:uuid:") else ""
    key = f"{name}/{resource_id(resource, urn)}"
    version = version_of(resource)
    sensitivity = labels.of_resource(resource)
    if sensitivity:  # a label that is put on later is another version; without one, the version is what it always was
        version = version_of({"said": version, "labels": sorted(sensitivity)})
    return Incoming(
        line=item.line,
        key=key,
        version=version,
        updated_at=instant_of(dictionary(resource.get("meta")).get("lastUpdated")),
        read=partial(reader, resource, key=key, version=version, aliases=run.aliases, names=run.names),
        resource=resource,
        sensitivity=sensitivity,
    )
