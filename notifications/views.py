"""The list of what one was told."""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from notifications import reading
from notifications.kinds import Topic
from notifications.models import Notification


@allow(Policy.MEMBER)
@require_safe
def notifications(request: MemberRequest) -> HttpResponse:
    """The list, the latest first."""
    topic, is_unread = _filters(request)
    listed = reading.listed(request.scope, topic=topic, is_unread=is_unread, cursor=request.GET.get("page", ""))
    chosen = {key: value for key, value in (("topic", topic), ("unread", "1" if is_unread else "")) if value}
    context = {
        "listed": listed,
        "topics": Topic.choices,
        "topic": topic,
        "is_unread": is_unread,
        "query": urlencode(chosen),
        "shown_at": timezone.now().isoformat(),
    }
    return render(request, "notifications/notifications.html", context)


@allow(Policy.MEMBER)
@require_safe
def open_notice(request: MemberRequest, notice_id: int) -> HttpResponse:
    """Lead to the very bill or payment, and mark the notice read; a HEAD marks nothing."""
    notice = get_object_or_404(Notification.objects.visible_to(request.scope), pk=notice_id)
    if request.method == "GET":
        reading.mark_read(request.scope, notice.pk)
    return HttpResponseRedirect(reading.destination(notice))


@allow(Policy.MEMBER)
@require_POST
def read_one(request: MemberRequest, notice_id: int) -> HttpResponse:
    """Mark one read."""
    if not reading.mark_read(request.scope, notice_id):
        raise Http404("no such notice for this reader")
    return _back(request)


@allow(Policy.MEMBER)
@require_POST
def read_all(request: MemberRequest) -> HttpResponse:
    """Mark all read that had come when the list was shown: what came since stays unread."""
    try:
        shown_at = parse_datetime(request.POST.get("shown_at", "")) or timezone.now()
    except ValueError:
        shown_at = timezone.now()
    if timezone.is_naive(shown_at):
        shown_at = shown_at.replace(tzinfo=dt.UTC)
    reading.mark_all_read(request.scope, before=min(shown_at, timezone.now()))
    return _back(request)


def _filters(request: HttpRequest) -> tuple[str, bool]:
    topic = request.GET.get("topic", "")
    return topic if topic in Topic.values else "", request.GET.get("unread") == "1"


def _back(request: HttpRequest) -> HttpResponse:
    topic, is_unread = _filters(request)
    chosen = {key: value for key, value in (("topic", topic), ("unread", "1" if is_unread else "")) if value}
    return redirect(f"{reverse('notifications')}{'?' if chosen else ''}{urlencode(chosen)}")
