"""Notices of help with costs: to the applicant alone. The mail says only that there is news."""

from django.utils.translation import gettext_lazy as _

from notifications import helped
from notifications.kinds.kind import Kind, Topic

FOLDER = "help_news"

KINDS: tuple[Kind, ...] = (
    Kind(
        name="help_received", label=_("We received your application"), topic=Topic.HELP, folder=FOLDER,
        events=("application.submitted",), told=helped.applicant,
    ),
    Kind(
        name="help_missing", label=_("Your application lacks something"), topic=Topic.HELP, folder=FOLDER,
        events=("application.missing",), told=helped.applicant, is_required=True,
    ),
    Kind(
        name="help_approved", label=_("Your application is approved"), topic=Topic.HELP, folder=FOLDER,
        events=("application.approved",), told=helped.applicant, is_required=True,
    ),
    Kind(
        name="help_credit", label=_("What was overpaid is kept for you as credit"), topic=Topic.HELP, folder=FOLDER,
        events=("award.credit_left",), told=helped.credited,
    ),
    Kind(
        name="help_denied", label=_("Your application is not approved: read why"), topic=Topic.HELP, folder=FOLDER,
        events=("application.denied", "application.upheld"), told=helped.applicant, is_required=True,
    ),
    Kind(
        name="help_appealed", label=_("We received your appeal"), topic=Topic.HELP, folder=FOLDER,
        events=("application.appealed",), told=helped.applicant,
    ),
    Kind(
        name="help_ends_soon", label=_("Help with your bills ends soon"), topic=Topic.HELP, folder=FOLDER,
        events=("award.ends_soon",), told=helped.awarded_ahead, is_required=True,
    ),
    Kind(
        name="help_ended", label=_("Help was ended: read why"), topic=Topic.HELP, folder=FOLDER,
        events=("award.revoked", "charitable.ended"), told=helped.awarded, is_required=True,
    ),
    Kind(
        name="subsidy_ends", label=_("Your premium will rise: help with it ends"), topic=Topic.HELP, folder=FOLDER,
        events=("charitable.ends",), told=helped.awarded_ahead, is_required=True,
    ),
    Kind(
        name="renewal_due", label=_("Apply again for help with your premium"), topic=Topic.HELP, folder=FOLDER,
        events=("charitable.renewal_due",), told=helped.awarded_ahead,
    ),
)  # fmt: skip
