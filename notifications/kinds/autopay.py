"""Notices of autopay. Those of a charge to come state its amount and date: Reg E asks for both, in writing, at least
ten days ahead where the amount is another than before (12 CFR 1005.10(d)(1); docs/decisions/1102)."""

from django.utils.translation import gettext_lazy as _

from notifications import autopay_audience as audience
from notifications.kinds.kind import Kind, Topic

WAITING = frozenset({"announced", "asked", "queued"})

KINDS: tuple[Kind, ...] = (
    Kind(
        name="autopay_enrolled", label=_("Autopay is on"), topic=Topic.AUTOPAY, events=("autopay.enrolled",),
        told=audience.who_agreed, is_required=True, is_security=True,
    ),
    Kind(
        name="autopay_terms", label=_("Autopay was changed"), topic=Topic.AUTOPAY, events=("autopay.terms_changed",),
        told=audience.who_agreed, is_required=True, is_security=True,
    ),
    Kind(
        name="autopay_stopped", label=_("Autopay was turned off"), topic=Topic.AUTOPAY, events=("autopay.stopped",),
        told=audience.its_member, is_required=True, is_security=True,
    ),
    Kind(
        name="autopay_paused", label=_("Autopay is paused"), topic=Topic.AUTOPAY, events=("autopay.paused",),
        told=audience.its_member, is_required=True,
    ),
    Kind(
        name="autopay_resumed", label=_("Autopay is on again"), topic=Topic.AUTOPAY, events=("autopay.resumed",),
        told=audience.its_member,
    ),
    # Charges to come
    Kind(
        name="autopay_announced", label=_("An automatic payment is planned"), topic=Topic.AUTOPAY,
        events=("autopay.announced",), told=audience.member_of_charge, is_required=True, must_state_amount=True,
        true_in=WAITING,
    ),
    Kind(
        name="autopay_changed", label=_("A planned automatic payment has changed"), topic=Topic.AUTOPAY,
        events=("autopay.changed", "autopay.charge_changed", "autopay.unskipped"), told=audience.member_of_charge,
        is_required=True, must_state_amount=True, true_in=WAITING,
    ),
    Kind(
        name="autopay_asked", label=_("Automatic payment: please say yes or no"), topic=Topic.AUTOPAY,
        events=("autopay.asked",), told=audience.member_of_charge, is_required=True, must_state_amount=True,
        true_in=frozenset({"asked"}),
    ),
    Kind(
        name="autopay_skipped", label=_("A planned automatic payment is skipped"), topic=Topic.AUTOPAY,
        events=("autopay.skipped",), told=audience.member_of_charge, true_in=frozenset({"skipped"}),
    ),
    Kind(
        name="autopay_declined", label=_("An automatic payment is not made, as you said no"), topic=Topic.AUTOPAY,
        events=("autopay.answered",), told=audience.who_said_no, true_in=frozenset({"skipped"}),
        folder="autopay_skipped",
    ),
    # What went wrong, or would
    Kind(
        name="autopay_failed", label=_("An automatic payment did not go through"), topic=Topic.AUTOPAY,
        events=("autopay.failed",), told=audience.member_of_charge, is_required=True, true_in=frozenset({"failed"}),
    ),
    Kind(
        name="autopay_action", label=_("Confirm an automatic payment at your bank"), topic=Topic.AUTOPAY,
        events=("autopay.action_needed",), told=audience.member_of_charge, is_required=True,
        true_in=frozenset({"sent"}),
    ),
    Kind(
        name="autopay_suspended", label=_("Autopay has stopped until you act"), topic=Topic.AUTOPAY,
        events=("autopay.suspended",), told=audience.its_member, is_required=True,
    ),
    Kind(
        name="autopay_health", label=_("Autopay needs something from you"), topic=Topic.AUTOPAY,
        events=("autopay.health",), told=audience.its_member, is_required=True,
    ),
)  # fmt: skip
