"""The codes that a payer remarks with, as an ExplanationOfBenefit states them, for the bill check (RULES 9.1)."""

from bills.imports.values import Json, dictionary, objects

REMARKS = "remittance-advice-remark-codes"  # https://x12.org/codes/remittance-advice-remark-codes
REASONS = "claim-adjustment-reason-codes"  # https://x12.org/codes/claim-adjustment-reason-codes
QMB_REASON = "209"  # "the provider cannot collect this amount from the patient": of group OA by its own text
MAX_CODES = 20
LONGEST = 8


def read(eob: Json, items: list[Json]) -> str:
    """The remark codes of a claim and its items, and OA-209, in order, blanks between; nothing where there are none."""
    found = set()
    for level in (eob, *items):
        adjudications = level.get("adjudication")
        for entry in adjudications if isinstance(adjudications, list) else ():
            if isinstance(entry, dict) and "reason" in entry:
                found |= _codes(dictionary(entry["reason"]))
    return " ".join(sorted(found)[:MAX_CODES])


def _codes(reason: Json) -> set[str]:
    found = set()
    for coding in objects(reason.get("coding")):
        system, code = coding.get("system"), coding.get("code")
        if not isinstance(system, str) or not isinstance(code, str) or not code.isalnum() or len(code) > LONGEST:
            continue
        if system.endswith(REMARKS):
            found.add(code.upper())
        elif system.endswith(REASONS) and code == QMB_REASON:
            found.add(f"OA-{code}")
    return found
