"""Turning autopay on and changing how it pays: what, then how, then the words that are agreed to.

The second step is kept in the session until the third, which is asked for a fresh proof of who one is (FAULTS H16).
"""

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import reauthentication
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from payments import wording
from payments.autopay import changing, consents, enrolling, listing, naming, terms
from payments.autopay.forms import TermsForm
from payments.autopay.terms import AutopayError, Covers, Subject, Terms
from payments.eligibility import Attestation
from payments.models import AutopayEnrollment, PaymentMethod
from payments.pages.acceptance import acceptance_of

INVALID = 422
DRAFT = "autopay_draft"
MAX_DRAFT = 4_000  # characters of what was typed, in the session


@allow(Policy.MEMBER)
@require_safe
def choose(request: MemberRequest) -> HttpResponse:
    """Step 1: what is to be paid by autopay."""
    off = [thing for thing in listing.things(request.scope) if thing.enrollment is None]
    return render(request, "autopay/choose.html", {"things": off, "steps": steps()})


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def how(request: MemberRequest) -> HttpResponse:
    """Step 2: with which method, on which day, up to which amount, for whom."""
    key = request.GET.get("for", "")
    if not key:
        return redirect("autopay_new")
    subject, standing = _subject(request, key)
    form = _form(request, subject, standing, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            terms.check(form.terms(), request.scope)
        except AutopayError as refusal:
            form.add_error(None, str(refusal))
        else:
            data = request.POST.copy()
            data.pop("csrfmiddlewaretoken", None)
            request.session[DRAFT] = {"for": key, "data": data.urlencode()[:MAX_DRAFT]}
            return redirect("autopay_review")
    offered = terms.offered(form.methods.values(), subject, request.scope)
    context = {
        "form": form,
        "subject": subject,
        "title": naming.title_of_subject(subject, request.scope),
        "standing": standing,
        "choices": [(wording.option(method), reason) for method, reason in offered],
        "exceptions": _exceptions(subject, [method for method, reason in offered if not reason]),
        "steps": steps(),
        "add_url": f"{reverse('payment_method_add')}",
        "can_choose": any(not reason for _method, reason in offered),
        "chosen": str(form["method"].value() or next((m.pk for m, reason in offered if not reason), "")),
    }
    return render(request, "autopay/how.html", context, status=INVALID if form.errors else 200)


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: MemberRequest) -> HttpResponse:
    """Step 3: read what is agreed to; posted to, agree."""
    draft = request.session.get(DRAFT)
    if not isinstance(draft, dict):
        return redirect("autopay")
    subject, standing = _subject(request, str(draft.get("for", "")))
    form = _form(request, subject, standing, QueryDict(str(draft.get("data", ""))))
    back = f"{reverse('autopay_terms')}?{urlencode({'for': subject.key})}"
    if not form.is_valid():
        messages.error(request, _("Something has changed in the meantime. Look at your choices again."))
        return redirect(back)
    wanted, error = form.terms(), ""
    if request.method == "POST":
        try:
            return _agreed(request, standing, wanted)
        except AutopayError as refusal:
            error = str(refusal)
    context = {
        "wanted": wanted,
        "title": naming.title_of_subject(subject, request.scope),
        "people": ", ".join(member.shown_first_name for member in wanted.members),
        "method": wording.saved(wanted.method),
        "fallback": wording.saved(wanted.fallback) if wanted.fallback else "",
        "paragraphs": consents.text_of(wanted).split("\n\n"),
        "version": consents.VERSION,
        "standing": standing,
        "error": error,
        "back": back,
        "steps": steps(),
    }
    return render(request, "autopay/review.html", context, status=INVALID if error else 200)


def steps() -> list[str]:
    """The steps in words."""
    return [_("What"), _("How"), _("Agree")]


def _agreed(request: MemberRequest, standing: AutopayEnrollment | None, wanted: Terms) -> HttpResponse:
    """Do what was agreed to. Raises AutopayError."""
    acceptance = acceptance_of(request)
    if standing is not None:
        changed = changing.change(standing, request.user, wanted, acceptance)
        messages.success(request, _("It was changed. A copy of what you agreed to is on its way to you."))
    else:
        changed = enrolling.enrol(request.user, wanted, acceptance)
        messages.success(request, _("Autopay is on. A copy of what you agreed to is on its way to you."))
    del request.session[DRAFT]
    return redirect("autopay_enrollment", changed.pk)


def _subject(request: MemberRequest, key: str) -> tuple[Subject, AutopayEnrollment | None]:
    """What a key names, and the viewer's own enrolment of it. Raises Http404 where it is not there to be paid."""
    mine = AutopayEnrollment.objects.visible_to(request.scope).in_force()
    for enrollment in mine.select_related("coverage__plan", "plan", "method", "fallback"):
        if terms.of_subject(enrollment).key == key:
            return terms.of_subject(enrollment), enrollment
    subject = listing.subject_of(key, request.scope)
    if subject is None:
        raise Http404("nothing that this viewer could have paid")
    return subject, None


def _form(
    request: MemberRequest, subject: Subject, standing: AutopayEnrollment | None, data: QueryDict | None
) -> TermsForm:
    methods = PaymentMethod.objects.visible_to(request.scope).usable().order_by("-is_default", "-created_at")
    return TermsForm(
        data,
        subject=subject,
        methods=list(methods),
        people=listing.people(request.scope) if subject.covers == Covers.MEDICAL else [],
        standing=terms.of(standing) if standing is not None else None,
    )


def _exceptions(subject: Subject, usable: list[PaymentMethod]) -> list[Attestation]:
    """The exceptions to choose from, where one of the methods is an HSA's."""
    found = [each for method in usable if method.label for each in terms.exceptions_for(method, subject)]
    return list(dict.fromkeys(found))
