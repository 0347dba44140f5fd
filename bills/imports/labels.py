"""Which sensitive services a record tells of: HL7 security labels of FHIR, and the values of the CSV's column.

Labels alone: no diagnosis or procedure is judged here. Codes are those of HL7's InformationSensitivityPolicy (v3
ActCode) and Confidentiality; others of a record say nothing of who may see it.
"""

from collections.abc import Iterator

from accounts.models import Sensitive
from bills.imports.problems import Refused
from bills.imports.values import Json, codings, dictionary, objects

CODES: dict[str, str] = {
    **dict.fromkeys(("PSY", "PSYTHPN", "MH", "BH", "EMOTDIS", "COGN", "DVD"), Sensitive.MENTAL),
    **dict.fromkeys(("ETH", "ETHUD", "SUD", "OPIOIDUD"), Sensitive.SUBSTANCE),
    **dict.fromkeys(("SEX", "PREGNANT"), Sensitive.REPRODUCTIVE),
    **dict.fromkeys(("STD", "HIV"), Sensitive.INFECTION),
    **dict.fromkeys(("SDV", "VIO", "MST"), Sensitive.VIOLENCE),
    **dict.fromkeys(("R", "V", "GDIS", "SICKLE", "TBOO"), Sensitive.RESTRICTED),
}
SYSTEMS = ("v3-ActCode", "v3-Confidentiality")
INLINE = "sec-label"  # in the URL of an extension that labels a part of a resource (HL7 DS4P)
NOTHING: frozenset[str] = frozenset()


def of_resource(resource: Json) -> frozenset[str]:
    """The kinds of sensitive service by the labels of the whole and its lines: one sensitive line makes it all so."""
    labels = [label.get("code") for label in objects(dictionary(resource.get("meta")).get("security"))]
    for item in objects(resource.get("item")):
        if "extension" in item:
            labels += _inline(item)
        for detail in objects(item.get("detail")):
            labels += _inline(detail)
    return frozenset(CODES[label] for label in labels if isinstance(label, str) and label in CODES) or NOTHING


def of_cell(written: str) -> frozenset[str]:
    """The kinds that a cell names, blanks between. Raises Refused for a word that is none."""
    named = written.lower().split()
    if unknown := set(named) - set(Sensitive.values):
        count = len(unknown)
        reason = f"{count} of its words is not known. Use, blanks between: {', '.join(Sensitive.values)}."
        raise Refused("sensitivity", reason, "sensitivity")
    return frozenset(named) or NOTHING


def _inline(element: Json) -> Iterator[str]:
    for extension in objects(element.get("extension")):
        coding = dictionary(extension.get("valueCoding"))
        if INLINE in str(extension.get("url")) or str(coding.get("system")).endswith(SYSTEMS):
            yield str(coding.get("code"))
            yield from (code for code, _display in codings(extension.get("valueCodeableConcept")))
