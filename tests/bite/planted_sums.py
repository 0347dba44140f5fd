"""The planted bugs of sums of what was paid: by person and year, in the pack of a year, towards the year's limits."""

from tests.bite.planting import Planted

SPENDING = "tests/payments/test_household.py::test_spending_is_summed_by_person_and_year_less_what_came_back"
CARE = "tests/payments/test_documents.py::test_interest_is_no_care_whatever_is_paid_and_comes_back_when"
YEARS = "tests/bills/test_plan_years.py::"
CHANGED = f"{YEARS}test_after_a_change_of_plan_each_coverages_own_days_count"

SUMS = (
    Planted(
        "what became household credit was not spent",
        "payments/spending.py",
        "            code__in=CODES_OF_PAYMENT,\n",
        "            code__in=CODES_OF_PAYMENT[:6],\n",
        SPENDING,
    ),
    Planted(
        "what undid a refund is told by its side",
        "payments/spending.py",
        "    paid = Q(credit__control_id__isnull=False)",
        "    paid = ~Q(code__in=(30, 32, 33))",
        SPENDING,
    ),
    Planted(
        "what came back of a payment is listed by its side",
        "accounts/families.py",
        "amount_cents=cents if is_in else -cents",
        "amount_cents=cents",
        SPENDING,
    ),
    Planted(
        "interest of all years, in the order in which it was paid",
        "payments/care.py",
        "effective_on__lte=until)",
        "effective_on__year=until.year)",
        CARE,
    ),
    Planted(
        "what comes back was for care first, and then for interest",
        "payments/care.py",
        "            beside = -min(self.paid_beside_cents, max(0, -cents - max(0, self.paid_care_cents)))",
        "            beside = 0",
        CARE,
    ),
    Planted(
        "interest that was paid and taken off was for care",
        "payments/care.py",
        "        freed = min(self.paid_beside_cents, max(0, -self.unpaid_beside_cents))",
        "        freed = 0",
        CARE,
    ),
    Planted(
        "what the plan paid stands where a bill was first paid",
        "payments/tax_pack.py",
        " if step.is_first else 0,",
        ",",
        CARE,
    ),
    Planted(
        "of one person no more counts than their own limit, on the overview too",
        "payments/overview.py",
        "[{1: cents} for cents in rows.values()], own_limits)",
        "[{1: cents} for cents in rows.values()], (0, 0))",
        f"{YEARS}test_the_overview_counts_as_the_page_of_the_year_does",
    ),
    Planted(
        "the year of a coverage is of its days",
        "bills/plan_years.py",
        "        if first <= on <= last:",
        "        if on:",
        CHANGED,
    ),
    Planted(
        "the overview's year of a coverage is of its days",
        "payments/overview.py",
        "    if plan_years.is_whole(coverage, today.year):",
        "    if True:",
        CHANGED,
    ),
    Planted(
        "no maximum is passed by another coverage's claims",
        "bills/check_facts.py",
        "if plan_years.is_whole(coverage, year) else",
        "if True else",
        CHANGED,
    ),
)
