"""The door for Stripe's webhooks: checks the signature, stores the event, answers at once."""

import logging

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.policies import Policy, allow
from payments import clocks, webhooks
from payments.provider import Refused, WrongMode

logger = logging.getLogger(__name__)

OFF = ("signed_long_ago", "signed_in_the_future")


@csrf_exempt  # another system calls it, and proves itself by its signature
@allow(Policy.MACHINE)
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 for what is stored or was already; 400 for what is not signed by Stripe for us, storing nothing of it."""
    if int(request.headers.get("Content-Length") or 0) > webhooks.MAX_BODY_BYTES:
        return HttpResponse(status=413)
    try:
        webhooks.receive(request.body, request.headers.get("Stripe-Signature", ""))
    except (Refused, WrongMode) as refusal:
        logger.warning("a webhook was refused: %s", refusal)
        if str(refusal) in OFF:  # Stripe's own, and not of now: a replay, or all of them until the clock is right
            clocks.alarm(f"A webhook of Stripe's was refused: {refusal}.")
        return HttpResponse(status=400)
    return HttpResponse(status=200)
