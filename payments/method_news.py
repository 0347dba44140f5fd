"""The provider's news of methods, setups and mandates: each fetches how the object stands now (payments.webhooks)."""

from typing import Any

from billing_portal.ids import is_id
from payments import adding, blocking, gateway, mandates, methods
from payments.models import Mandate, MethodSetup, StripeEvent
from payments.provider import Refused

Answer = tuple[StripeEvent.Outcome, str]
PROCESSED = StripeEvent.Outcome.PROCESSED, ""
MANDATE_ENDED = "mandate_inactive"


def handle(kind: str, found: dict[str, Any]) -> Answer | None:
    """Do what an event of this kind asks for; None where it is not about a method."""
    if kind.startswith("setup_intent."):
        return _setup(found)
    if kind == "mandate.updated":
        return _mandate(str(found.get("id", "")))
    if kind in ("payment_method.automatically_updated", "payment_method.updated"):
        return _renewed(str(found.get("id", "")))
    if kind == "payment_method.detached":
        methods.gone(str(found.get("id", "")))
        return PROCESSED
    return None


def _setup(found: dict[str, Any]) -> Answer:
    intent_id = str(found.get("id", ""))
    setup = MethodSetup.objects.select_related("user").filter(stripe_setup_intent_id=intent_id).first()
    number = str((found.get("metadata") or {}).get("setup", ""))
    if setup is None and is_id(number):
        setup = (
            MethodSetup.objects.select_related("user").filter(pk=number, status=MethodSetup.Status.SUBMITTED).first()
        )
    if setup is None:
        return StripeEvent.Outcome.IGNORED, "not a setup of the portal's"
    adding.apply(setup.pk, gateway.setup(intent_id))
    return PROCESSED


def _mandate(mandate_id: str) -> Answer:
    """The bank or the provider has ended a mandate: its account is not debited again, and its owner is told."""
    mandate = Mandate.objects.select_related("method").filter(stripe_id=mandate_id).exclude(stripe_id="").first()
    if mandate is None:
        return StripeEvent.Outcome.IGNORED, "not a mandate of the portal's"
    if gateway.is_mandate_in_force(mandate_id):
        return PROCESSED
    ended = mandates.deactivate(mandate)
    method = mandate.method
    if ended and method is not None and mandates.of_method(method) == mandate:
        blocking.block(method, MANDATE_ENDED)
    return PROCESSED


def _renewed(method_id: str) -> Answer:
    try:
        methods.refresh(method_id, gateway.method_summary(method_id))
    except Refused:
        return StripeEvent.Outcome.IGNORED, "the method is gone"
    return PROCESSED
