"""What bills and people are called on a page, given who looks: a pay-only delegate sees amounts and dates alone."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.visibility import Scope
from bills import premiums
from bills.models import Bill

# Titles that bills often come with: read in the viewer's language. Any other stays as its source wrote it.
COMMON_TITLES = (
    gettext_noop("Dental visit"),
    gettext_noop("Emergency visit"),
    gettext_noop("Eye examination"),
    gettext_noop("Hospital stay"),
    gettext_noop("Imaging"),
    gettext_noop("Laboratory"),
    gettext_noop("Office visit"),
    gettext_noop("Outpatient visit"),
    gettext_noop("Physical therapy"),
    gettext_noop("Prescription"),
    gettext_noop("Specialist visit"),
    gettext_noop("Urgent care"),
)


def title_of(bill: Bill, scope: Scope) -> str:
    """The title of a bill: nothing of the service to a delegate who may only pay."""
    if bill.kind == Bill.Kind.PREMIUM:
        return premiums.title_of(bill)
    return _("Medical bill") if scope.sees_only_amounts_of(bill.member_id) else _(bill.title or "Medical bill")


def provider_of(bill: Bill, scope: Scope) -> str:
    """Who gave the service, or nothing where the viewer sees amounts and dates alone."""
    return "" if scope.sees_only_amounts_of(bill.member_id) else bill.provider_name


def detail_of(bill: Bill, scope: Scope) -> str:
    """What stands beside the title: the provider, or a premium's plan, which is to be loaded with it."""
    if bill.coverage is None or scope.sees_only_amounts_of(bill.member_id):
        return provider_of(bill, scope)
    return bill.coverage.plan.name
