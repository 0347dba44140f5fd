"""What an ExplanationOfBenefit says about money, and what the member owes of it (RULES 9.2, docs/imports.md)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bills.imports.problems import NeedsReview
from bills.imports.values import Cents, Json, amount_of, dictionary, objects, plain_cents

HALF_CENT = Decimal("0.5")

# The HL7 and CARIN Blue Button adjudication codes.
CATEGORIES = {
    "submitted": "submitted",
    "drugcost": "submitted",
    "eligible": "eligible",
    "discount": "discount",
    "benefit": "benefit",
    "paidtoprovider": "paidtoprovider",
    "paidtopatient": "paidtopatient",
    "priorpayerpaid": "priorpayerpaid",
    "deductible": "deductible",
    "copay": "copay",
    "coinsurance": "coinsurance",
    "noncovered": "noncovered",
    "memberliability": "memberliability",
    "paidbypatient": "paidbypatient",
    "paidbypatientcash": "paidbypatientpart",
    "paidbypatientother": "paidbypatientpart",
    "paidbypatienthealthaccount": "paidbypatientpart",
}

# CMS names each amount by its variable besides, which is more exact than the category; a variable that is not here
# (rates, gross drug costs, capital payments) is no part of what anybody owes.
CMS_VARIABLES = {
    "clm_tot_chrg_amt": "submitted",
    "rev_cntr_tot_chrg_amt": "submitted",
    "line_sbmtd_chrg_amt": "submitted",
    "nch_carr_clm_sbmtd_chrg_amt": "submitted",
    "tot_rx_cst_amt": "submitted",
    "line_alowd_chrg_amt": "eligible",
    "nch_carr_clm_alowd_amt": "eligible",
    "line_nch_pmt_amt": "benefit",
    "cvrd_d_plan_pd_amt": "benefit",
    "line_prvdr_pmt_amt": "paidtoprovider",
    "rev_cntr_prvdr_pmt_amt": "paidtoprovider",
    "line_bene_pmt_amt": "paidtopatient",
    "rev_cntr_bene_pmt_amt": "paidtopatient",
    "line_bene_prmry_pyr_pd_amt": "priorpayerpaid",
    "rev_cntr_1st_msp_pd_amt": "priorpayerpaid",
    "rev_cntr_2nd_msp_pd_amt": "priorpayerpaid",
    "othr_troop_amt": "priorpayerpaid",
    "plro_amt": "priorpayerpaid",
    "prpayamt": "priorpayerpaid",
    "lics_amt": "priorpayerpaid",
    "rptd_gap_dscnt_num": "discount",
    "line_bene_ptb_ddctbl_amt": "deductible",
    "rev_cntr_cash_ddctbl_amt": "deductible",
    "rev_cntr_blood_ddctbl_amt": "deductible",
    "carr_clm_cash_ddctbl_apld_amt": "deductible",
    "nch_bene_ip_ddctbl_amt": "deductible",
    "nch_bene_ptb_ddctbl_amt": "deductible",
    "nch_bene_blood_ddctbl_lblty_am": "deductible",
    "line_coinsrnc_amt": "coinsurance",
    "rev_cntr_coinsrnc_wge_adjstd_c": "coinsurance",
    "nch_bene_pta_coinsrnc_lblty_amt": "coinsurance",
    "nch_bene_ptb_coinsrnc_amt": "coinsurance",
    "rev_cntr_ncvrd_chrg_amt": "noncovered",
    "nch_ip_ncvrd_chrg_amt": "noncovered",
    "nch_ip_tot_ddctn_amt": "partstotal",
    "ptnt_pay_amt": "paidatcounter",
    "rev_cntr_ptnt_rspnsblty_pmt": "paidbypatient",
}
CMS_URL = "https://bluebutton.cms.gov/"

PARTS = ("deductible", "copay", "coinsurance")
Level = dict[str, Cents]


@dataclass(slots=True)
class Adjudication:
    """The amounts of one claim in cents, exactly as written, whole and by line; what is owed and due of it."""

    whole: Level
    lines: list[Level]
    owed: Cents = 0
    due: Cents = 0
    shares: list[Cents] = field(default_factory=list)

    @property
    def states_share(self) -> bool:
        """Whether it says what the member owes: as a whole or by its parts."""
        return any(name in self.whole for name in ("memberliability", *PARTS))

    @property
    def plan_paid(self) -> Cents:
        """What the plan paid, to the provider or to the member."""
        return plan_paid(self.whole)


def plan_paid(level: Level) -> Cents:
    """What the plan paid of this level: what reached provider and member, or else the benefit."""
    if "paidtoprovider" in level:
        return level["paidtoprovider"] + level.get("paidtopatient", 0)
    return level.get("benefit", level.get("paidtopatient", 0))


def discount(level: Level) -> Cents:
    """The plan's discount: as stated, or what lies between submitted and eligible."""
    if "discount" in level:
        return level["discount"]
    if "submitted" in level and "eligible" in level:
        return max(0, level["submitted"] - level["eligible"])
    return 0


def allowed(level: Level) -> Cents:
    """What the plan allowed: as stated, or submitted less the discount where one is stated."""
    if "eligible" in level:
        return level["eligible"]
    if "submitted" in level and "discount" in level:
        return max(0, level["submitted"] - level["discount"])
    return 0


def apart(one: Cents, other: Cents) -> Cents:
    """How far two amounts lie apart."""
    return one - other if one > other else other - one


def read(eob: Json, *, is_open: bool = False) -> Adjudication | None:
    """The amounts of an ExplanationOfBenefit; None where it carries no money at all (CARIN's Basis profiles).

    Raises NeedsReview where what it states does not agree with itself, or does not say what the member owes; a claim
    that is not decided yet (`is_open`) need not say it: nothing is owed so far.
    """
    total = _level(eob.get("total"), "total", once=True)
    header = _level(eob.get("adjudication"), "adjudication", once=True)
    balance = _balance(eob)
    lines = [_level(item.get("adjudication"), "item.adjudication") for item in objects(eob.get("item"))]
    payment = amount_of(dictionary(eob.get("payment")).get("amount"), "payment.amount")
    if payment is None and not total and not header and not balance and not any(lines):
        return None
    whole = _agreed((total, header, balance), lines)
    if payment is not None and "paidtoprovider" not in whole and "benefit" not in whole:
        whole["benefit"] = payment
    found = Adjudication(whole=whole, lines=lines)
    _decide(found, is_open=is_open)
    return found


def none_yet(items: Sequence[Json]) -> Adjudication:
    """What a claim says that was received and has no amounts yet: nothing, of as many lines as it has."""
    return Adjudication(whole={}, lines=[{} for _ in items], shares=[0] * len(items))


def _level(adjudications: object, where: str, *, once: bool = False) -> Level:
    level: Level = {}
    for entry in adjudications if isinstance(adjudications, list) else ():
        try:  # nearly all have one code, one that is known, and an amount in dollars
            [coding] = entry["category"]["coding"]
            slot = CATEGORIES[coding["code"]]
            amount = plain_cents(entry["amount"])
        except (KeyError, TypeError, ValueError):
            found = _stated(entry, where) if isinstance(entry, dict) else None
            if found is None:
                continue
            slot, amount = found
        if slot not in level:
            level[slot] = amount
        elif once and slot not in ("paidbypatientpart", "deductible", "priorpayerpaid"):
            raise NeedsReview("stated_twice", "The same amount is stated twice.", f"{where}.category")
        else:
            level[slot] += amount
    if "paidbypatientpart" in level:
        level.setdefault("paidbypatient", level.pop("paidbypatientpart"))
    if "paidatcounter" in level:  # Part D: what the member owed was paid at the pharmacy
        level["memberliability"] = level["paidbypatient"] = level.pop("paidatcounter")
    return level


def _stated(entry: Json, where: str) -> tuple[str, Cents] | None:
    """What one adjudication states: of which kind, and how much; None where that is no part of what anybody owes."""
    slot = _slot(entry.get("category"))
    amount = amount_of(entry.get("amount"), f"{where}.amount") if slot is not None else None
    if slot is None or amount is None:
        return None
    if amount < 0:
        raise NeedsReview("negative_amount", "An amount is below zero: is this a reversal?", f"{where}.amount")
    return slot, amount


def _slot(category: object) -> str | None:
    found = None
    codings = category.get("coding") if isinstance(category, dict) else None
    if isinstance(codings, list):
        for coding in codings:
            code = coding.get("code") if isinstance(coding, dict) else None
            if isinstance(code, str):
                if code in CATEGORIES:
                    found = found or CATEGORIES[code]
                elif code.startswith(CMS_URL):
                    return CMS_VARIABLES.get(code.rsplit("/", 1)[1])
    return found


def _balance(eob: Json) -> Level:
    """The amounts of the whole claim that CMS states in its benefit balance."""
    level: Level = {}
    for balance in objects(eob.get("benefitBalance")):
        for entry in objects(balance.get("financial")):
            slot = _slot(entry.get("type"))
            amount = amount_of(entry.get("usedMoney"), "benefitBalance.financial.usedMoney")
            if slot is not None and amount is not None:
                level[slot] = level.get(slot, 0) + amount
    return level


def _agreed(levels: Sequence[Level], lines: Sequence[Level]) -> Level:
    """The amounts of the whole claim: as it states them, or as its lines sum. Raises NeedsReview where those differ."""
    tolerance = HALF_CENT * max(1, len(lines))
    whole: Level = {}
    for level in levels:
        for slot, amount in level.items():
            if apart(whole.setdefault(slot, amount), amount) > HALF_CENT:
                raise NeedsReview("totals_disagree", "Two totals of the same amount differ.", slot)
    sums: Level = {}
    counts: dict[str, int] = {}
    for line in lines:
        for slot, amount in line.items():
            sums[slot] = sums.get(slot, 0) + amount
            counts[slot] = counts.get(slot, 0) + 1
    for slot, total in sums.items():
        stated = whole.setdefault(slot, total)
        if total != stated and apart(total, stated) > tolerance and (total > stated or counts[slot] == len(lines)):
            raise NeedsReview("lines_disagree", "The lines do not sum to the total.", slot)
    return whole


def _decide(found: Adjudication, *, is_open: bool) -> None:
    """Set what the member owes, what is still due of it, and each line's share where the lines state it."""
    whole = found.whole
    parts = sum(whole.get(part, 0) for part in PARTS)
    has_parts = any(part in whole for part in PARTS)
    tolerance = HALF_CENT * max(1, len(found.lines))
    if "partstotal" in whole and apart(whole["partstotal"], parts) > tolerance:
        raise NeedsReview("parts_disagree", "Deductible and coinsurance do not sum to their total.", "benefitBalance")
    if "memberliability" in whole:
        found.owed = whole["memberliability"]
        with_noncovered = parts + whole.get("noncovered", 0)
        if has_parts and min(apart(found.owed, parts), apart(found.owed, with_noncovered)) > tolerance:
            raise NeedsReview(
                "liability_disagrees",
                "What the member owes is not the sum of deductible, copay and coinsurance.",
                "memberliability",
            )
    elif has_parts:
        found.owed = parts
    elif not is_open and not _is_settled(found):
        raise NeedsReview("share_not_stated", "The claim does not say what the member owes.", "total")
    if "submitted" in whole and found.owed > whole["submitted"] + tolerance:
        raise NeedsReview("more_than_charged", "The member would owe more than was charged.", "total")
    paid = found.plan_paid + whole.get("priorpayerpaid", 0)
    if "eligible" in whole and paid + found.owed > whole["eligible"] + whole.get("noncovered", 0) + tolerance:
        raise NeedsReview("more_than_allowed", "What was paid and what is owed exceed what was allowed.", "total")
    already = whole.get("paidbypatient", 0)
    if already > found.owed + tolerance:
        raise NeedsReview("patient_paid_more", "The member paid more than the claim says is owed.", "paidbypatient")
    found.due = max(0, found.owed - already)
    key = "memberliability" if all("memberliability" in line for line in found.lines) else None
    found.shares = [line[key] if key else sum(line.get(part, 0) for part in PARTS) for line in found.lines]


def _is_settled(found: Adjudication) -> bool:
    """Whether submitted, less the discount, is wholly paid: then nothing is left for the member."""
    whole = found.whole
    if "submitted" not in whole and "eligible" not in whole:
        return False
    expected = whole["eligible"] if "eligible" in whole else whole["submitted"] - whole.get("discount", 0)
    return apart(expected, found.plan_paid + whole.get("priorpayerpaid", 0)) < HALF_CENT
