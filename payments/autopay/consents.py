"""The words of the leave to charge by itself: shown before the click, kept as they were, and sent as a copy.

Reg E 12 CFR 1005.10(b) to (e): what is authorised, when and in which amount, notice of each amount and date ahead, how
a payment is stopped, and that none of it is a condition of anything. The words name no person, service or plan, since
the copy goes by mail; the event of the enrolment keeps whose bills they are for (FAULTS D28).
"""

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ledger.money import format_usd
from payments import wording
from payments.autopay.terms import Covers, Terms
from payments.mandates import MAX_AGENT, Acceptance
from payments.models import AutopayConsent, AutopayEnrollment, PaymentMethod

VERSION = "2026-11-29"  # of the words below: change it with them
NOTICE_DAYS = 10  # Reg E 12 CFR 1005.10(d)(1)
BUSINESS_DAYS_TO_STOP = 3  # Reg E 12 CFR 1005.10(c)(1)


def text_of(terms: Terms) -> str:
    """What is agreed to, paragraph by paragraph, in the language of the moment."""
    return "\n\n".join([_what(terms), _how_much(terms), _how_to_stop(terms)])


def keep(enrollment: AutopayEnrollment, terms: Terms, acceptance: Acceptance) -> AutopayConsent:
    """Keep what was agreed to with a click: the caller's transaction is that of the change."""
    with translation.override(acceptance.language):
        text = text_of(terms)
    return AutopayConsent.objects.create(
        enrollment=enrollment,
        text=text,
        version=VERSION,
        language=acceptance.language[:5],
        accepted_at=timezone.now().replace(microsecond=0),
        address=acceptance.address,
        user_agent=acceptance.user_agent[:MAX_AGENT] or "unknown",
    )


def _what(terms: Terms) -> str:
    named = {
        "portal": settings.PORTAL_NAME,
        "method": wording.saved(terms.method),
        "day": terms.day_words,
        "what": _subject_words(terms),
    }
    text = (
        _("By choosing “Agree” you authorize %(portal)s to charge %(method)s by itself for %(what)s, %(day)s.") % named
    )
    if terms.fallback is not None:
        text += " " + _(
            "If that payment is declined, or that method cannot be charged any more, %(fallback)s may be charged "
            "instead, on a day that you are told at least %(days)d days ahead."
        ) % {"fallback": wording.saved(terms.fallback), "days": BUSINESS_DAYS_TO_STOP}
    if PaymentMethod.Kind.BANK_ACCOUNT in {terms.method.kind, terms.fallback.kind if terms.fallback else ""}:
        text += " " + _("A bank account is debited on the next business day where the banks are closed.")
    return text


def _how_much(terms: Terms) -> str:
    text = _(
        "Each payment is what is owed at that time and no more. The amount can differ from payment to payment. You are "
        "told the amount, the date and the method of each one ahead: at least %(days)d days before one whose amount "
        "differs from the payment before it, and at least %(fewer)d days before any other."
    ) % {"days": NOTICE_DAYS, "fewer": BUSINESS_DAYS_TO_STOP}
    if terms.limit_cents is not None:
        text += " " + _("An amount above %(limit)s is not charged unless you say yes to it.") % {
            "limit": format_usd(terms.limit_cents)
        }
    return text


def _how_to_stop(terms: Terms) -> str:
    return _(
        "You can skip a payment, change its day or method, pause or stop automatic payments on the Autopay page until "
        "midnight before the day of the payment, or call %(phone)s at least %(days)d business days before it. For a "
        "bank account you may also tell your bank, orally or in writing, at least %(days)d business days before the "
        "planned date. A payment that is already on its way is not stopped by this. Automatic payments are never a "
        "condition of your coverage, of care or of a payment plan. This authorization stays in force until you stop it."
    ) % {"phone": settings.SUPPORT_PHONE, "days": BUSINESS_DAYS_TO_STOP}


def _subject_words(terms: Terms) -> str:
    subject = terms.subject
    if subject.covers == Covers.PREMIUM:
        return _("the premiums of a coverage")
    if subject.plan is not None:
        return _("the instalments of payment plan %(number)s") % {"number": subject.plan.number}
    count = len(terms.members)
    return ngettext(
        "the medical bills of the %(count)d person whom you chose",
        "the medical bills of the %(count)d people whom you chose",
        count,
    ) % {"count": count}
