"""Explanations of benefits in CARIN Blue Button's shape, as many as wanted: for the importer's tests and its benchmark.

Independent of the importer: amounts are dealt in cents and written as decimals, and what they sum to is returned.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADJUDICATION = "http://terminology.hl7.org/CodeSystem/adjudication"
CARIN = "http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBAdjudication"
SYSTEMS = dict.fromkeys(("submitted", "eligible", "deductible", "copay", "benefit"), ADJUDICATION) | dict.fromkeys(
    ("coinsurance", "memberliability", "paidtoprovider"), CARIN
)
SERVICES = (
    ("99213", "Office or other outpatient visit, 20-29 minutes"),
    ("85025", "Complete blood count, automated"),
    ("97110", "Therapeutic exercises, each 15 minutes"),
    ("71046", "Radiologic examination, chest; 2 views"),
    ("80053", "Comprehensive metabolic panel"),
)
KINDS = ("professional", "professional", "institutional", "pharmacy", "oral")


@dataclass
class Totals:
    """What the generated claims sum to, US cents."""

    claims: int = 0
    members: int = 0
    submitted_cents: int = 0
    owed_cents: int = 0
    deductible_cents: int = 0


def _money(cents: int) -> dict[str, Any]:
    return {"value": cents / 100 if cents % 100 else cents // 100, "currency": "USD"}


def _adjudication(code: str, cents: int) -> dict[str, Any]:
    return {"category": {"coding": [{"system": SYSTEMS[code], "code": code}]}, "amount": _money(cents)}


def patient(number: int) -> dict[str, Any]:
    """Patient `p<number>`, with a member number of the plan's."""
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "meta": {"lastUpdated": "2026-01-01T00:00:00Z"},
        "identifier": [
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MB"}]},
                "system": "https://plan.example/member",
                "value": f"G{number:09d}",
            }
        ],
        "name": [{"family": f"Family{number}", "given": [f"Given{number % 97}"]}],
        "gender": "unknown",
        "birthDate": f"{1950 + number % 60}-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "address": [{"line": [f"{number} Main Street"], "city": "Oakland", "state": "CA", "postalCode": "94612"}],
    }


def _line(sequence: int, day: str, dice: random.Random) -> tuple[dict[str, Any], dict[str, int]]:
    """One service, and its amounts in cents: what is allowed is shared between member and plan."""
    submitted = dice.randint(2_000, 90_000)
    eligible = submitted * dice.randint(50, 100) // 100
    deductible = eligible if dice.random() < 0.2 else 0
    coinsurance = (eligible - deductible) * dice.choice((0, 10, 20)) // 100
    paid = eligible - deductible - coinsurance
    amounts = {
        "submitted": submitted, "eligible": eligible, "deductible": deductible, "copay": 0,
        "coinsurance": coinsurance, "memberliability": deductible + coinsurance,
        "benefit": paid, "paidtoprovider": paid,
    }  # fmt: skip
    code, display = dice.choice(SERVICES)
    line = {
        "sequence": sequence,
        "productOrService": {
            "coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": code, "display": display}]
        },
        "servicedDate": day,
        "locationCodeableConcept": {"coding": [{"code": "11", "display": "Office"}]},
        "adjudication": [_adjudication(name, cents) for name, cents in amounts.items()],
    }
    return line, amounts


def eob(number: int, members: int, dice: random.Random, totals: Totals) -> dict[str, Any]:
    """Claim `e<number>` of member `number mod members`, with one to three lines."""
    day = f"2026-{dice.randint(1, 10):02d}-{dice.randint(1, 28):02d}"
    lines = [_line(sequence, day, dice) for sequence in range(1, dice.randint(1, 3) + 1)]
    items = [item for item, _amounts in lines]
    sums = {name: sum(amounts[name] for _item, amounts in lines) for name in SYSTEMS}
    totals.claims += 1
    totals.submitted_cents += sums["submitted"]
    totals.owed_cents += sums["memberliability"]
    totals.deductible_cents += sums["deductible"]
    return {
        "resourceType": "ExplanationOfBenefit",
        "id": f"e{number}",
        "meta": {
            "lastUpdated": "2026-11-01T00:00:00Z",
            "profile": ["http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-ExplanationOfBenefit"],
        },
        "identifier": [
            {
                "type": {"coding": [{"code": "uc"}]},
                "system": "https://plan.example/claim",
                "value": f"CLM{number:012d}",
            }
        ],
        "status": "active",
        "type": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": dice.choice(KINDS)}]
        },
        "use": "claim",
        "patient": {"reference": f"Patient/p{number % members}"},
        "billablePeriod": {"start": day, "end": day},
        "created": f"{day}T12:00:00Z",
        "insurer": {"display": "Example Health Plan"},
        "provider": {"reference": "Organization/o1", "display": "Orange Medical Group"},
        "outcome": "complete",
        "insurance": [{"focal": True, "coverage": {"reference": "Coverage/c1"}}],
        "item": items,
        "total": [_adjudication(name, cents) for name, cents in sums.items()],
    }


def resources(claims: int, members: int, totals: Totals, seed: int = 1) -> Iterator[dict[str, Any]]:
    """The patients, and then the claims."""
    dice = random.Random(seed)
    totals.members = members
    for number in range(members):
        yield patient(number)
    for number in range(claims):
        yield eob(number, members, dice, totals)


def write(path: Path, *, claims: int, members: int, seed: int = 1) -> Totals:
    """Write them as NDJSON; return what they sum to."""
    totals = Totals()
    with path.open("w", encoding="utf-8") as file:
        for resource in resources(claims, members, totals, seed):
            file.write(json.dumps(resource, separators=(",", ":")) + "\n")
    return totals


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--claims", type=int, default=50_000)
    parser.add_argument("--members", type=int, default=5_000)
    options = parser.parse_args()
    sys.stdout.write(f"{write(options.path, claims=options.claims, members=options.members)}\n")
