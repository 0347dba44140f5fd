"""The notices of a grace period as PDF: of its start, and of the end of coverage (45 CFR 156.270, 28 CCR 1300.65)."""

from django.conf import settings
from django.http import HttpRequest

from bills import pdf
from bills.models import GracePeriod

START, END = "print/grace.html", "print/coverage_ended.html"


def printed(
    found: GracePeriod, *, is_end: bool, is_amounts_only: bool = False, request: HttpRequest | None = None
) -> bytes:
    """The notice as a PDF. Its coverage with household, plan and subscriber, and its rule are at hand."""
    context = {
        "grace": found,
        "coverage": found.coverage,
        "is_amounts_only": is_amounts_only,
        "is_california": found.coverage.household.state == "CA",
        "is_medicare": found.coverage.kind.startswith("medicare"),
        "portal_url": settings.PORTAL_URL,
    }
    return pdf.rendered(END if is_end else START, context, request)
