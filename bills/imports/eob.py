"""An R4 ExplanationOfBenefit (CARIN Blue Button, CMS, Synthea, plain) as a claim and what is due of it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_noop

from bills.imports import adjudication, remarks
from bills.imports.adjudication import Adjudication, Level
from bills.imports.problems import Refused, Skipped
from bills.imports.records import Amounts, Line, Names, Record
from bills.imports.values import (
    Cents,
    Json,
    cents,
    codes,
    codings,
    date_of,
    dictionary,
    objects,
    reference_key,
    text,
)  # fmt: skip
from bills.models import Claim
from ledger import money

MAX_LINES = 1000
MAX_DESCRIPTION, MAX_NAME, MAX_NUMBER = 300, 200, 60

# What a bill is called, by the first of the claim's codes that is here: CMS's claim kinds, then HL7's subtype and type.
CMS_TITLES = {
    "HHA": gettext_noop("Home health care"),
    "HOSPICE": gettext_noop("Hospice care"),
    "SNF": gettext_noop("Skilled nursing stay"),
    "DME": gettext_noop("Medical equipment"),
}
SUBTYPE_TITLES = {
    "inpatient": gettext_noop("Hospital stay"),
    "outpatient": gettext_noop("Outpatient visit"),
    "emergency": gettext_noop("Emergency visit"),
}
KIND_TITLES = {
    "institutional": gettext_noop("Hospital or clinic visit"),
    "professional": gettext_noop("Office visit"),
    "pharmacy": gettext_noop("Prescription"),
    "oral": gettext_noop("Dental visit"),
    "vision": gettext_noop("Eye care"),
}
# Present in STU3 and gone in R4; and required in R4 and absent from STU3.
STU3_KEYS = frozenset(("totalCost", "totalBenefit", "information", "organization", "claimTotal"))
# What an outcome says of the whole claim: received, in part decided, decided (FHIR R4, remittance-outcome).
OUTCOMES = {"queued": Claim.Status.OPEN, "partial": Claim.Status.OPEN, "complete": Claim.Status.ACTIVE}


def source_id(eob: Json, own_id: str) -> str:
    """The key that the claim stands under: the type and the source's id."""
    return f"ExplanationOfBenefit/{own_id}"


def read(eob: Json, *, key: str, version: str, aliases: dict[str, str], names: Names) -> Record:
    """The claim. Raises Refused, NeedsReview or Skipped, as docs/imports.md says."""
    items = objects(eob.get("item"))
    _refuse(eob, items)
    kind, title = _kind_and_title(eob)
    status = _status(eob)
    is_open = status == Claim.Status.OPEN
    found = adjudication.read(eob, is_open=is_open)
    if found is None:
        if eob.get("outcome") != "queued":
            raise Skipped("no_money", "an explanation of benefits without amounts")
        found = adjudication.none_yet(items)
    if not (member_key := reference_key(eob.get("patient"), "Patient", aliases)):
        raise Refused("patient_missing", "The claim does not say whose it is.", "patient")
    _refuse_other_beneficiary(eob, member_key, aliases)
    period = dictionary(eob.get("billablePeriod"))
    served = [date for date in map(_served, items) if date]
    service_on = date_of(period.get("start")) or min(served, default=None) or date_of(eob.get("created"))
    if service_on is None:
        raise Refused("service_date", "The claim does not say when the service was.", "billablePeriod.start")
    end = date_of(period.get("end"))
    lines = [_line(item, level, title) for item, level in zip(items, found.lines, strict=True)]
    replaces = tuple(_related(eob, "prior")) if "related" in eob else ()
    owed, due = cents(found.owed, "total"), cents(found.due, "total")
    # Until a correction is decided, the original and its bill stand.
    is_charged = not is_open or (found.states_share and not replaces)
    return Record(
        source_id=key,
        member_key=member_key,
        number=_number(eob),
        kind=kind,
        title=title,
        provider_name=_provider(eob, aliases, names),
        service_on=service_on,
        service_end_on=end if end and end >= service_on else None,
        processed_on=date_of(eob.get("created")),
        version=version,
        status=status,
        amounts=_amounts(found.whole),
        owes_cents=owed,
        due_cents=due if is_charged else 0,
        is_charged=is_charged,
        lines=lines,
        bill_lines=_bill_lines(found, lines, title, due, service_on),
        replaces=replaces,
        remark_codes=remarks.read(eob, items),
    )


def _is_stu3(eob: Json, items: list[Json]) -> bool:
    if not STU3_KEYS.isdisjoint(eob) or isinstance(eob.get("insurance"), dict):
        return True
    return ("outcome" not in eob and "use" not in eob) or any("service" in item for item in items)


def _refuse(eob: Json, items: list[Json]) -> None:
    if _is_stu3(eob, items):
        raise Refused("stu3", "This is FHIR STU3: only R4 (4.0.1) is taken. Ask the sender for R4.", "resourceType")
    use = eob.get("use")
    if use != "claim":
        raise Refused("not_a_claim", "Only claims become bills: this is a prior authorization or an estimate.", "use")
    outcome = eob.get("outcome")
    if not isinstance(outcome, str) or outcome not in OUTCOMES:
        raise Refused("not_processed", "The outcome must be queued, partial or complete.", "outcome")
    refuse_modifiers(eob, *items)
    if len(items) > MAX_LINES:
        raise Refused("too_many_lines", f"A claim has at most {MAX_LINES} lines.", "item")


def refuse_modifiers(*elements: Json) -> None:
    """Raise Refused for a modifierExtension: it may turn what the element says around (FHIR R4, 2.4.0.1)."""
    if any(element.get("modifierExtension") for element in elements):
        raise Refused(
            "modifier_extension", "The record carries a modifierExtension that is not known.", "modifierExtension"
        )


def _status(eob: Json) -> str:
    status = eob.get("status")
    if status == "active":
        replaced = "related" in eob and any(_related(eob, "replacedby"))
        return Claim.Status.REPLACED if replaced else OUTCOMES[eob["outcome"]]
    if status in ("cancelled", "entered-in-error"):
        return Claim.Status.CANCELED
    raise Refused("status", "Only claims with status active or cancelled are taken.", "status")


def _kind_and_title(eob: Json) -> tuple[str, str]:
    types = codes(eob.get("type"))
    kind = next((code for code in types if code in KIND_TITLES), None)
    if kind is None:
        raise Refused("type", "The type of the claim is none that is known.", "type")
    for code in types:
        if code in CMS_TITLES:
            return kind, CMS_TITLES[code]
    for code in codes(eob.get("subType")):
        if code in SUBTYPE_TITLES and kind == "institutional":
            return kind, SUBTYPE_TITLES[code]
    return kind, KIND_TITLES[kind]


def _refuse_other_beneficiary(eob: Json, member_key: str, aliases: dict[str, str]) -> None:
    for resource in objects(eob.get("contained")):
        if resource.get("resourceType") == "Coverage":
            beneficiary = reference_key(resource.get("beneficiary"), "Patient", aliases)
            if beneficiary and beneficiary != member_key:
                raise Refused("other_patient", "The coverage is another person's than the claim.", "insurance.coverage")


def _number(eob: Json) -> str:
    """The claim number: the identifier of type `uc`, else the first one, else the id."""
    identifiers = objects(eob.get("identifier"))
    unique = [found for found in identifiers if "uc" in codes(found.get("type"))]
    for identifier in (*unique, *identifiers):
        if number := text(identifier.get("value"), MAX_NUMBER):
            return number
    return text(eob.get("id"), MAX_NUMBER)


def _related(eob: Json, relationship: str) -> Iterator[str]:
    """What the claim is related to in this way: keys and claim numbers."""
    for related in objects(eob.get("related")):
        if relationship in codes(related.get("relationship")):
            claim = dictionary(related.get("claim"))
            target = claim.get("reference")
            if isinstance(target, str) and target.startswith(("ExplanationOfBenefit/", "Claim/")):
                yield f"ExplanationOfBenefit/{target.split('/')[1]}"
            for identifier in (related.get("reference"), claim.get("identifier")):
                if number := text(dictionary(identifier).get("value"), MAX_NUMBER):
                    yield number


def _served(item: Json) -> dt.date | None:
    return date_of(item.get("servicedDate")) or date_of(dictionary(item.get("servicedPeriod")).get("start"))


def _provider(eob: Json, aliases: dict[str, str], names: Names) -> str:
    """Who provided it: the contained or imported resource's own name, else how the claim displays it."""
    provider = dictionary(eob.get("provider"))
    target = provider.get("reference")
    if isinstance(target, str):
        if target.startswith("#"):
            for resource in objects(eob.get("contained")):
                if resource.get("id") == target[1:] and (name := name_of(resource)):
                    return name
        elif name := _met(target, aliases, names):
            return name
    return text(provider.get("display"), MAX_NAME)


def _met(target: str, aliases: dict[str, str], names: Names) -> str:
    key = aliases.get(target, target)
    if key.startswith("urn:uuid:"):
        return names.get(f"Practitioner/{key[9:]}") or names.get(f"Organization/{key[9:]}")
    return names.get(key)


def name_of(resource: Json) -> str:
    """The display name of an Organization or Practitioner."""
    name: Any = resource.get("name")
    if isinstance(name, str):
        return text(name, MAX_NAME)
    for human in objects(name):
        if whole := text(human.get("text"), MAX_NAME):
            return whole
        given = [part for part in human.get("given") or () if isinstance(part, str)]
        prefix = [part for part in human.get("prefix") or () if isinstance(part, str)]
        return text(" ".join([*prefix, *given, text(human.get("family"), MAX_NAME)]), MAX_NAME)
    return ""


def _line(item: Json, level: Level, title: str) -> Line:
    return Line(description=_description(item) or title, service_on=_served(item), amounts=_amounts(level))


def _description(item: Json) -> str:
    for concept in (item.get("productOrService"), item.get("revenue")):
        for code, display in codings(concept):
            if code == "not-applicable":
                break
            shown = text(dictionary(concept).get("text"), MAX_DESCRIPTION) or text(display, MAX_DESCRIPTION)
            if shown:
                return shown
            if code.isprintable() and len(code) <= 20:
                return f"Service {code}"
        else:
            if shown := text(dictionary(concept).get("text"), MAX_DESCRIPTION):
                return shown
    return ""


def _amounts(level: Level) -> Amounts:
    if not level:
        return NOTHING
    stated = level.get
    return Amounts(
        _cents(stated("submitted", 0)),
        _cents(adjudication.allowed(level)),
        _cents(adjudication.discount(level)),
        _cents(adjudication.plan_paid(level)),
        _cents(stated("priorpayerpaid", 0)),
        _cents(stated("deductible", 0)),
        _cents(stated("copay", 0)),
        _cents(stated("coinsurance", 0)),
        _cents(stated("noncovered", 0)),
    )


NOTHING = Amounts()


def _cents(amount: Cents) -> int:
    return amount if amount.__class__ is int else cents(amount, "total")


def _bill_lines(found: Adjudication, lines: list[Line], title: str, due_cents: int, on: dt.date) -> list[Line]:
    """The bill's lines: each service with its share where the services state theirs, else one for the whole claim."""
    weights = [int(share * 10_000) for share in found.shares]
    if not due_cents or not sum(weights):
        return [Line(title, on, _amounts(found.whole), share_cents=due_cents)]
    shares = money.split(due_cents, weights)
    return [
        Line(line.description, line.service_on, line.amounts, share_cents=share)
        for line, share in zip(lines, shares, strict=True)
    ]
