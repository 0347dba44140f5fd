"""The documents of a bill, for pages of the apps below too (a claim's shows those of its bill)."""

from collections.abc import Iterator

from django import template
from django.conf import settings

from accounts.visibility import Scope
from bills.models import Bill
from payments import language_notice, papers
from payments.language_notice import Sentence
from payments.papers import Paper

register = template.Library()


@register.simple_tag
def papers_of_bill(scope: Scope, bill: Bill | None) -> list[Paper]:
    """What papers there are of a bill that the viewer sees; none of no bill."""
    return papers.of_bill(scope, bill) if bill is not None else []


@register.simple_tag
def language_sentences() -> Iterator[Sentence]:
    """That help in one's language is free, in each language: on every paper of what was decided about money."""
    return language_notice.sentences(phone=settings.SUPPORT_PHONE, tty=settings.SUPPORT_TTY)
