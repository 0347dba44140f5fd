"""The demo's visits: who was where, how many days ago, what it cost and who bears which part. All invented."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of a visit, US cents; what is neither discount nor paid by the plan is the member's, by reason."""

    name: str
    billed: int
    discount: int
    deductible: int = 0
    copay: int = 0
    coinsurance: int = 0
    not_covered: int = 0

    @property
    def owed(self) -> int:
        """The member's share."""
        return self.deductible + self.copay + self.coinsurance + self.not_covered

    @property
    def plan_paid(self) -> int:
        """The plan's share: what is left of the charge."""
        return self.billed - self.discount - self.owed


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit and its bill. `due_in` counts from today; `paid` is days ago and US cents."""

    id: str
    who: str
    title: str
    provider: str
    days_ago: int
    due_in: int
    services: tuple[Service, ...]
    kind: str = "professional"
    paid: tuple[tuple[int, int], ...] = ()
    corrected: tuple[Service, ...] = ()
    corrected_days_ago: int = 0


# Of a 17-year-old: what his mother sees, who holds the account, and what he may consent to (Cal. Fam. Code 6924).
OF_LEO = Visit(
    id="leo-1", who="leo", title="Preventive visit", provider="Oakridge Family Medicine", days_ago=52,
    due_in=30, services=(Service(name="Preventive visit, ages 12 to 17", billed=25_500, discount=8_900),),
)  # fmt: skip
OF_LEO_ALONE = Visit(
    id="leo-2", who="leo", title="Outpatient visit", provider="Harbor Counseling", days_ago=19, due_in=17,
    services=(Service(name="Psychotherapy, 45 minutes", billed=17_000, discount=5_500, copay=3_500),),
)  # fmt: skip

VISITS = (
    Visit(
        id="annual-lab", who="alice", title="Laboratory", provider="Oakridge Pathology", days_ago=176, due_in=-132,
        services=(
            Service(name="Blood count, complete", billed=9_800, discount=4_310, deductible=5_490),
            Service(name="Lipid panel", billed=8_900, discount=3_466, deductible=5_434),
        ),
        paid=((150, 10_924),),
    ),
    Visit(
        id="physical-therapy", who="alice", title="Physical therapy", provider="Bayside Rehabilitation", days_ago=121,
        due_in=-76,
        services=(
            Service(name="Therapeutic exercise, 30 minutes", billed=22_000, discount=4_900, deductible=17_100),
            Service(name="Manual therapy", billed=21_000, discount=4_000, deductible=17_000),
        ),
        paid=((88, 34_100),),
    ),
    Visit(
        id="urgent-care", who="bob", title="Urgent care", provider="Lakeside Urgent Care", days_ago=63, due_in=12,
        services=(
            Service(name="Urgent care visit", billed=28_500, discount=9_000, copay=6_000, deductible=13_500),
            Service(name="X-ray of the ankle", billed=14_200, discount=5_600, deductible=4_500),
        ),
        paid=((20, 9_000),),
    ),
    Visit(
        id="imaging", who="maya", title="Imaging", provider="Oakridge Medical Center", days_ago=74, due_in=-15,
        services=(Service(name="Ultrasound of the abdomen", billed=74_000, discount=31_000, deductible=32_000),),
        corrected=(Service(name="Ultrasound of the abdomen", billed=74_000, discount=31_000, deductible=21_250),),
        corrected_days_ago=48, paid=((33, 21_250),),
    ),
    Visit(
        id="outpatient", who="maya", title="Outpatient visit", provider="Oakridge Medical Center", days_ago=41,
        due_in=-18, kind="institutional",
        services=(
            Service(name="Outpatient visit, 25 minutes", billed=31_000, discount=12_500, copay=3_000, deductible=9_500),
            Service(name="Strep test, rapid", billed=7_200, discount=2_700, deductible=4_500),
            Service(name="Allergy screening", billed=12_400, discount=4_900, coinsurance=1_500),
        ),
    ),
    Visit(
        id="laboratory", who="alice", title="Laboratory", provider="Oakridge Pathology", days_ago=22, due_in=6,
        services=(
            Service(name="Metabolic panel, comprehensive", billed=12_900, discount=5_150, deductible=7_750),
            Service(name="Thyroid stimulating hormone", billed=9_300, discount=4_410, deductible=4_890),
        ),
    ),
    Visit(
        id="checkup", who="maya", title="Well-child visit", provider="Oakridge Family Medicine", days_ago=30, due_in=30,
        services=(Service(name="Preventive visit, ages 5 to 11", billed=24_000, discount=8_200),),
    ),
    Visit(
        id="cardiology", who="charlie", title="Specialist visit", provider="Willamette Heart Clinic", days_ago=25,
        due_in=9, services=(Service(name="Cardiology consultation", billed=38_000, discount=17_500, copay=4_000),),
    ),
    Visit(
        id="eye-exam", who="charlie", title="Eye examination", provider="Willamette Eye Center", days_ago=97,
        due_in=-52, services=(Service(name="Eye examination", billed=16_500, discount=7_000, copay=2_500),),
        paid=((70, 2_500),),
    ),
)  # fmt: skip
