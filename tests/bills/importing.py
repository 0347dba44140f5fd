"""Small FHIR resources of our own, and importing them as a file."""

import copy
import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from bills import checks as bill_checks
from bills.imports import running
from bills.models import Bill, Claim, ImportBatch, ImportReject
from ledger import checks
from ledger.checks import RULES

SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
Json = dict[str, Any]


def patient(id: str = "p1", **changes: Any) -> Json:  # noqa: A002
    """A Patient with a member number of the plan's."""
    number = {"type": {"coding": [{"code": "MB"}]}, "system": "https://plan.example", "value": f"N-{id}"}
    return {
        "resourceType": "Patient",
        "id": id,
        "identifier": [number],
        "name": [{"family": "Ortiz", "given": ["Ana", "Luz"]}],
        "birthDate": "1980-02-03",
        "address": [{"line": ["1 Elm Street"], "city": "Oakland", "state": "California", "postalCode": "94612-1234"}],
    } | changes


def adjudication(code: str, dollars: Any) -> Json:
    """One amount of a claim."""
    return {"category": {"coding": [{"code": code}]}, "amount": {"value": dollars, "currency": "USD"}}


def eob(
    id: str = "e1", patient_id: str = "p1", *, total: Json | None = None, items: Any = None, **changes: Any
) -> Json:  # noqa: A002
    """A processed professional claim; `total` and `items` give amounts by adjudication code."""
    amounts = {"submitted": 200, "eligible": 150, "benefit": 120, "coinsurance": 30} if total is None else total
    lines = [
        {
            "sequence": n,
            "productOrService": {"coding": [{"code": "99213", "display": "Office visit"}]},
            "servicedDate": "2026-03-04",
            "adjudication": [adjudication(*pair) for pair in line.items()],
        }
        for n, line in enumerate(items or [{}], 1)
    ]
    return {
        "resourceType": "ExplanationOfBenefit",
        "id": id,
        "meta": {"lastUpdated": "2026-04-01T00:00:00Z"},
        "identifier": [{"type": {"coding": [{"code": "uc"}]}, "value": f"CLM-{id}"}],
        "status": "active",
        "type": {"coding": [{"code": "professional"}]},
        "use": "claim",
        "patient": {"reference": f"Patient/{patient_id}"},
        "billablePeriod": {"start": "2026-03-04", "end": "2026-03-04"},
        "created": "2026-03-20",
        "provider": {"display": "Lake Clinic"},
        "outcome": "complete",
        "insurance": [{"focal": True, "coverage": {"display": "plan"}}],
        "item": lines,
        "total": [adjudication(*pair) for pair in amounts.items()],
    } | changes


def later(resource: Json, month: int = 5, **changes: Any) -> Json:
    """The same record, said anew in a later month."""
    return copy.deepcopy(resource) | {"meta": {"lastUpdated": f"2026-{month:02d}-01T00:00:00Z"}} | changes


def owes(resource: Json, dollars: Any, month: int = 5) -> Json:
    """The same claim with another coinsurance, said in a later month."""
    total = {"submitted": 200, "eligible": 150, "benefit": 150 - dollars, "coinsurance": dollars}
    return later(resource, month, total=[adjudication(*pair) for pair in total.items()])


def take(folder: Path, *resources: Any, **options: Any) -> ImportBatch:
    """Import resources as one NDJSON file; a string or bytes stand as they are."""
    path = folder / f"{uuid4().hex}.ndjson"
    lines = [r if isinstance(r, bytes) else (r if isinstance(r, str) else json.dumps(r)).encode() for r in resources]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return take_path(path, **options)


def take_path(
    path: Path, format: str = "fhir", progress: running.Progress | None = None, **options: Any  # noqa: A002
) -> ImportBatch:  # fmt: skip
    """Import a file or folder; `progress` is called after each chunk."""
    batch = running.start(path, format=format)
    return running.run(batch.pk, path, progress, running.Options(**options))


def counts(batch: ImportBatch) -> Json:
    """What came of a batch, without what is nothing."""
    names = ("new", "changed", "same", "in_review", "refused")
    return {name: getattr(batch, name) for name in names if getattr(batch, name)}


def rules(batch: ImportBatch) -> list[str]:
    """The rules that the records of a batch broke, in order."""
    return list(batch.rejects.order_by("pk").values_list("rule", flat=True))


def claim(id: str = "e1") -> Claim:  # noqa: A002
    """The claim of a resource."""
    return Claim.objects.select_related("bill__receivable").get(source_id=f"ExplanationOfBenefit/{id}")


def balance(id: str = "e1") -> int:  # noqa: A002
    """What is owed on the bill of a claim, US cents."""
    bill = claim(id).bill
    assert bill is not None
    return bill.balance_cents


def open_reviews() -> list[str]:
    """The rules of what waits for a person or another record."""
    waiting = ImportReject.objects.filter(outcome="review", resolved_at__isnull=True)
    return list(waiting.order_by("source_id").values_list("rule", flat=True))


def owed_cents() -> int:
    """What is owed on all bills."""
    return sum(bill.balance_cents for bill in Bill.objects.select_related("receivable"))


def book_holds() -> bool:
    """Whether every rule of the book and of the claims' sums holds."""
    broken = checks.run((*RULES, *bill_checks.RULES), deep=True)
    assert not broken, broken
    return True
