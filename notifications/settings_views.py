"""What one wants to be told, and how: each form of the page is an address of its own."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import households
from accounts.models import Household
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from notifications import preferences, texting
from notifications.forms import CodeForm, DeliveryForm, NumberForm
from notifications.kinds import KINDS
from notifications.models import Channel, Delivery

PAGE = "notification_settings"
NUMBER = "text_number"  # in the session: the number that a code was sent to
DOCUMENTS = {
    "statements": gettext_lazy("Statements"),
    "bills": gettext_lazy("Medical bills and premium bills"),
    "explanations": gettext_lazy("Explanations of benefits"),
    "letters": gettext_lazy("Letters"),
}


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def notification_settings(request: MemberRequest) -> HttpResponse:
    """Which notices, by which channel. Required ones stay on whatever is posted."""
    if request.method == "POST":
        channels = [Channel.MAIL, *([Channel.TEXT] if texting.is_offered() else [])]
        wanted = {(kind, channel) for kind in KINDS for channel in channels if f"{kind}:{channel}" in request.POST}
        preferences.choose(request.user, wanted, channels=channels)
        messages.success(request, _("Saved."))
        return redirect(PAGE)
    return _page(request)


@allow(Policy.MEMBER)
@require_POST
def delivery(request: MemberRequest) -> HttpResponse:
    """Amounts and quiet hours."""
    form = DeliveryForm(request.POST)
    if not form.is_valid():
        return _page(request, delivery_form=form)
    quiet_from, quiet_until = form.quiet_hours()
    preferences.write_as(
        request.user,
        states_amounts=form.cleaned_data["states_amounts"],
        quiet_from=quiet_from,
        quiet_until=quiet_until,
    )
    messages.success(request, _("Saved. We confirm changes by email."))
    return redirect(PAGE)


@allow(Policy.MEMBER)
@require_POST
def documents(request: MemberRequest) -> HttpResponse:
    """Paper or paperless, by document; by the holder alone, for the household held."""
    held = Household.objects.filter(pk__in=request.scope.held_household_ids)
    household = next((each for each in held if each.number == request.POST.get("household", "")), None)
    if household is None:
        raise Http404("not a household that this viewer holds")
    changed = [
        households.set_paperless(
            household.pk, document=document, is_paperless=document in request.POST, actor=f"user:{request.user.pk}"
        )
        for document in DOCUMENTS
    ]
    messages.success(request, _("Saved. We confirm changes by email.") if any(changed) else _("Nothing was changed."))
    return redirect(PAGE)


@allow(Policy.MEMBER)
@require_POST
def texts(request: MemberRequest) -> HttpResponse:
    """A number for texts: asked for, confirmed by its code, or forgotten."""
    if not texting.is_offered():
        raise Http404("no texts are sent")
    if "forget" in request.POST:
        texting.forget(request.user)
        messages.success(request, _("We send no more text messages."))
        return redirect(PAGE)
    return _confirm(request) if "code" in request.POST else _ask(request)


def _ask(request: MemberRequest) -> HttpResponse:
    form = NumberForm(request.POST)
    if not form.is_valid():
        return _page(request, number_form=form)
    try:
        texting.ask_for(request.user, form.cleaned_data["number"])
    except texting.TooMany:
        form.add_error("number", _("We cannot send a code to this number now. Try again later."))
        return _page(request, number_form=form)
    request.session[NUMBER] = form.cleaned_data["number"]
    return redirect(PAGE)


def _confirm(request: MemberRequest) -> HttpResponse:
    form, number = CodeForm(request.POST), request.session.get(NUMBER, "")
    if form.is_valid():
        try:
            texting.confirm(request.user, number, form.cleaned_data["code"])
        except texting.CodeRefused:
            form.add_error("code", _("This is not the code that we sent, or it is too old. You can ask for a new one."))
        else:
            del request.session[NUMBER]
            messages.success(request, _("Your number is confirmed. Choose below what to be told by text."))
            return redirect(PAGE)
    return _page(request, code_form=form)


def _page(request: MemberRequest, **forms: Any) -> HttpResponse:
    delivery = Delivery.objects.filter(pk=request.user.pk).first() or Delivery(user=request.user)
    held = Household.objects.filter(pk__in=request.scope.held_household_ids).order_by("pk")
    context = {
        "topics": [(topic.label, choices) for topic, choices in preferences.of(request.user).items()],
        "delivery": delivery,
        "delivery_form": DeliveryForm(
            initial={
                "states_amounts": delivery.states_amounts,
                "quiet_from": f"{delivery.quiet_from:%H:%M}" if delivery.quiet_from else "",
                "quiet_until": f"{delivery.quiet_until:%H:%M}" if delivery.quiet_until else "",
            }
        ),
        "documents": [
            (
                house,
                [(name, label, getattr(house, households.DOCUMENTS[name])) for name, label in DOCUMENTS.items()],
            )
            for house in held
        ],
        "offers_texts": texting.is_offered(),
        "text_number": delivery.text_number[-4:],
        "number_form": NumberForm(),
        "code_form": CodeForm() if request.session.get(NUMBER) else None,
        "time_zone": settings.TIME_ZONE.replace("_", " "),
    } | forms
    is_refused = any(form.errors for form in forms.values())
    return render(request, "notifications/settings.html", context, status=422 if is_refused else 200)
