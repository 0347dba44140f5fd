"""The planted bugs of sums of what was paid: by person and year, in the pack of a year, towards the year's limits."""

from tests.bite.planting import Planted

SPENDING = "tests/payments/test_household.py::test_spending_is_summed_by_person_and_year_less_what_came_back"

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
)
