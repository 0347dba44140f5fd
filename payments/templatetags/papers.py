"""The documents of a bill, for pages of the apps below too (a claim's shows those of its bill)."""

from django import template

from accounts.visibility import Scope
from bills.models import Bill
from payments import papers
from payments.papers import Paper

register = template.Library()


@register.simple_tag
def papers_of_bill(scope: Scope, bill: Bill | None) -> list[Paper]:
    """What papers there are of a bill that the viewer sees; none of no bill."""
    return papers.of_bill(scope, bill) if bill is not None else []
