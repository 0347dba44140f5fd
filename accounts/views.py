"""Enrolment, the family, settings, the language, and the session's clock."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import enrolment, families, households, looking, rate_limits, sessions, viewing
from accounts.adapters import set_language_cookie
from accounts.forms import EnrolmentForm, PaperlessForm
from accounts.models import Household, User
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest

NOT_MATCHED = gettext_noop(
    "We could not match what you entered with a member who can be connected here."
    " Check it against your member card. After several tries, wait an hour or call Member Services."
    " If you are on somebody else's account, you also need the code from our letter: you can ask for one below."
)
LETTER_ASKED = gettext_noop(
    "If these facts are right and a code is needed, we send a letter with one in the member's own name to the address"
    " that we have. Allow seven days. In a hurry, or is that not a safe address? Call Member Services."
)


@allow(Policy.SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def enroll(request: MemberRequest) -> HttpResponse:
    """Prove to be a member."""
    form = EnrolmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and "letter" in request.POST:
        enrolment.ask_for_letter(request.user, form.proof(), address=rate_limits.address_key(request))
        messages.info(request, _(LETTER_ASKED))
    elif request.method == "POST" and form.is_valid():
        try:
            enrolment.claim(request.user, form.proof(), address=rate_limits.address_key(request))
        except enrolment.NotMatched:
            form.add_error(None, _(NOT_MATCHED))
        else:
            messages.success(request, _("You are connected to your membership. Here is what your household owes."))
            return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "enroll/enroll.html", {"form": form, "is_member": bool(request.scope.member_ids)})


@allow(Policy.MEMBER)
@require_GET
def family(request: MemberRequest) -> HttpResponse:
    """Who belongs to the household, what each owes, and what was paid for whom."""
    today = timezone.localdate()
    people = families.people(request.scope, today=today)
    chosen = request.GET.get("person", "")  # a member's number stands in no address (FAULTS M10)
    shown = [person for person in people if str(person.member.pk) == chosen] if chosen else people
    if chosen and not shown:
        raise Http404("no such member for this viewer")
    looking.at_members(request, request.scope.member_ids, "family")
    return render(
        request,
        "family/family.html",
        {
            "people": people,
            "payments": families.payments(shown),
            "chosen": shown[0].member if chosen else None,
            "is_holder": bool(request.scope.held_household_ids),
            "total_cents": sum(person.total_cents for person in people),
        },
    )


@allow(Policy.SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: MemberRequest) -> HttpResponse:
    """Where one's sign-in, language and statements are set; paperless by the holder alone, for the household held."""
    held = Household.objects.filter(pk__in=request.scope.held_household_ids).order_by("pk")
    if request.method == "POST":
        number = request.POST.get("household", "")
        household = next((each for each in held if each.number == number), None)
        form = PaperlessForm(request.POST)
        if household is None or not form.is_valid():
            raise Http404("not a household that this viewer holds")
        households.set_paperless(
            household.pk, is_paperless=form.cleaned_data["is_paperless"], actor=f"user:{request.user.pk}"
        )
        messages.success(request, _("Saved."))
        return redirect("settings")
    return render(request, "settings/settings.html", {"households": held, "languages": settings.LANGUAGES})


@allow(Policy.PUBLIC)
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language: kept in the browser, and with the user."""
    chosen = request.POST.get("language", "")
    to = request.POST.get("next", "") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(to, {request.get_host()}, require_https=request.is_secure()):
        to = "/"
    response = HttpResponseRedirect(to)
    if chosen in dict(settings.LANGUAGES) and translation.check_for_language(chosen):
        set_language_cookie(response, chosen)
        if request.user.is_authenticated:
            User.objects.filter(pk=request.user.pk).update(language=chosen)
    return response


@allow(Policy.PUBLIC)
@require_GET
def session_state(request: HttpRequest) -> JsonResponse:
    """How long the session still lasts; asked by the page itself, which is no activity."""
    if not request.user.is_authenticated:
        return JsonResponse({"is_signed_in": False, "seconds_left": 0})
    return JsonResponse({"is_signed_in": True, "seconds_left": sessions.seconds_left(request)})


@allow(Policy.SIGNED_IN)
@require_POST
def session_extend(request: HttpRequest) -> JsonResponse:
    """Stay signed in: somebody pressed the button."""
    sessions.extend(request)
    return JsonResponse({"is_signed_in": True, "seconds_left": sessions.seconds_left(request)})


@allow(Policy.STAFF)
@require_POST
def stop_viewing(request: HttpRequest) -> HttpResponse:
    """Somebody of staff no longer sees the portal as a member."""
    return redirect(viewing.end(request))
