"""What comes from other machines: one-click unsubscribe, reports of bounces and complaints, replies to texts."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.policies import Policy, allow
from notifications import preferences, suppressing, texting, unsubscribing
from notifications.suppressing import ReportRefused
from notifications.unsubscribing import TokenRefused

logger = logging.getLogger(__name__)


@csrf_exempt  # a mail program posts it without cookies (RFC 8058); its token is in the address
@allow(Policy.MACHINE)
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest) -> HttpResponse:
    """POST switches a topic's mails off. GET only shows a page with a button: scanners open every link (FAULTS L07)."""
    token = request.GET.get("token", "")
    try:
        who = unsubscribing.read(token)
    except TokenRefused:
        return render(request, "notifications/unsubscribe.html", {"is_refused": True}, status=404)
    if request.method == "POST":
        preferences.switch_off(who.user_id, who.topic)
    context = {"topic": who.topic.label, "is_done": request.method == "POST", "token": token}
    return render(request, "notifications/unsubscribe.html", context)


@csrf_exempt  # the mail provider calls it, and proves itself by its signature
@allow(Policy.MACHINE)
@require_POST
def mail_report(request: HttpRequest) -> HttpResponse:
    """Bounces and complaints: 200 for what is taken in, 400 for what is not signed for us."""
    if int(request.headers.get("Content-Length") or 0) > suppressing.MAX_BODY_BYTES:
        return HttpResponse(status=413)
    try:
        suppressing.receive(request.body, request.headers.get("Portal-Signature", ""), settings.MAIL_WEBHOOK_SECRET)
    except ReportRefused as refusal:
        logger.warning("a mail report was refused: %s", refusal)
        return HttpResponse(status=400)
    return HttpResponse(status=200)


@csrf_exempt  # the text provider calls it, and proves itself by its signature
@allow(Policy.MACHINE)
@require_POST
def text_reply(request: HttpRequest) -> HttpResponse:
    """STOP and START, as `{"number": "+1…", "words": "STOP"}`."""
    if int(request.headers.get("Content-Length") or 0) > suppressing.MAX_BODY_BYTES:
        return HttpResponse(status=413)
    try:
        said = suppressing.read(request.body, request.headers.get("Portal-Signature", ""), settings.SMS_WEBHOOK_SECRET)
        texting.answered(str(said["number"]), str(said["words"]))
    except (ReportRefused, KeyError) as refusal:
        logger.warning("a reply to a text was refused: %s", type(refusal).__name__)
        return HttpResponse(status=400)
    return HttpResponse(status=200)
