"""Adding a card or bank account, replacing one, and proving an account by small deposits."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import reauthentication
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest, client_address
from payments import adding, declines, gateway, mandates, methods, pacing, verification, wording
from payments.adding import AddingError
from payments.method_forms import AddForm, AmountsOfDepositsForm, CodeOfDepositForm
from payments.models import MethodSetup, PaymentMethod
from payments.pages.acceptance import acceptance_of
from payments.pages.methods import own
from payments.pages.stripe_pages import script_settings, with_stripe
from payments.provider import GatewayError, Refused

INVALID = 422
Status = MethodSetup.Status


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest) -> HttpResponse:
    """A card or bank account typed into Stripe's own frame."""
    return _add(request, None)


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def replace(request: MemberRequest, method_id: int) -> HttpResponse:
    """A new card or account in the place of an old one."""
    return _add(request, own(request, method_id))


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: MemberRequest, setup_id: int) -> HttpResponse:
    """Where an adding stands: the words to agree to, the bank's question, or its end.

    Posted to, the words are agreed to.
    """
    found = get_object_or_404(
        MethodSetup.objects.select_related("user", "method").filter(user_id=request.scope.user_id), pk=setup_id
    )
    if request.method == "POST":
        return _confirm(request, found)
    if found.status in (Status.SUBMITTED, Status.REQUIRES_ACTION):
        try:
            found = adding.refresh(found)
        except GatewayError:
            return _waiting(request, found)
    return _show(request, found)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: MemberRequest, method_id: int) -> HttpResponse:
    """What the owner reads of the small deposits; a right answer makes the account ready to pay."""
    method = own(request, method_id)
    if method.state != PaymentMethod.State.PENDING:
        return redirect("payment_methods")
    form_of = CodeOfDepositForm if method.deposits_kind == verification.CODE else AmountsOfDepositsForm
    form = form_of(request.POST or None)
    if request.method == "POST" and form.is_valid():
        outcome = verification.attempt(method, **form.read())
        if outcome.state in ("verified", "ended"):
            return _after_verifying(request, method, outcome.state)
        form.add_error(None, _wrong(outcome))
        method.refresh_from_db()
    context = {
        "option": wording.option(method),
        "method": method,
        "form": form,
        "tries_left": verification.MAX_TRIES - method.verify_tries,
        "is_code": method.deposits_kind == verification.CODE,
    }
    return render(request, "payments/method_verify.html", context, status=INVALID if form.errors else 200)


def _add(request: MemberRequest, replaces: PaymentMethod | None) -> HttpResponse:
    form = AddForm(request.POST or None, initial={"label": replaces.label if replaces else ""})
    error = ""
    try:
        if replaces is None:
            adding.refuse_too_many(request.user)
        if request.method == "POST" and form.is_valid():
            pacing.before_adding(request.user)
            return _start(request, form, replaces)
    except Refused:
        error = str(declines.DETAILS)
    except GatewayError:
        error = str(adding.CANNOT_ADD_NOW)
    except (AddingError, pacing.TooManyTries) as refusal:
        error = str(refusal)
    context = {
        "form": form,
        "error": error,
        "replaces": wording.option(replaces) if replaces else None,
        "is_full": replaces is None and methods.is_full(request.user),
        "consent_text": methods.consent_text(settings.PORTAL_NAME),
        "stripe": script_settings(reverse("payment_methods")),
    }
    status = INVALID if error or form.errors else 200
    return with_stripe(render(request, "payments/method_add.html", context, status=status))


def _start(request: MemberRequest, form: AddForm, replaces: PaymentMethod | None) -> HttpResponse:
    """Keep what was typed; a bank account first shows the words that its owner agrees to."""
    started = adding.start(
        request.user,
        confirmation_token=form.cleaned_data["confirmation_token"],
        label=form.cleaned_data["label"],
        nickname=form.cleaned_data["nickname"],
        makes_default=form.cleaned_data["makes_default"],
        replaces=replaces,
        consent_address=client_address(request),
    )
    if started.kind == PaymentMethod.Kind.CARD:
        adding.confirm(started)
    return redirect("payment_method_setup", started.pk)


def _confirm(request: MemberRequest, found: MethodSetup) -> HttpResponse:
    try:
        found = adding.confirm(found, acceptance=acceptance_of(request))
    except AddingError as refusal:
        messages.error(request, str(refusal))
    return redirect("payment_method_setup", found.pk)


def _show(request: MemberRequest, found: MethodSetup) -> HttpResponse:
    if found.status == Status.DRAFT:
        words = mandates.text_for_saving(found.last4, state=mandates.state_of(found.user))
        context = {"setup": found, "name": _name(found), "mandate_text": words}
        return render(request, "payments/method_agree.html", context)
    if found.status == Status.SUBMITTED:
        return _waiting(request, found)
    if found.status == Status.REQUIRES_ACTION:
        return _ask_bank(request, found)
    if found.status == Status.FAILED:
        messages.error(request, adding.why_not(found))
        return redirect("payment_method_add")
    assert found.method is not None
    if found.method.state == PaymentMethod.State.PENDING:
        return redirect("payment_method_verify", found.method.pk)
    messages.success(request, _("%(method)s was saved.") % {"method": wording.saved(found.method)})
    return redirect("payment_methods")


def _ask_bank(request: MemberRequest, found: MethodSetup) -> HttpResponse:
    """The bank's own question to the card's owner (3-D Secure)."""
    assert found.stripe_setup_intent_id is not None
    try:
        intent = gateway.setup(found.stripe_setup_intent_id)
    except GatewayError:
        return _waiting(request, found)
    context = {
        "name": _name(found),
        "client_secret": intent.client_secret,
        "starts_at_once": "setup_intent" not in request.GET,
        "stripe": script_settings(reverse("payment_method_setup", args=[found.pk])),
    }
    return with_stripe(render(request, "payments/method_authenticate.html", context))


def _waiting(request: MemberRequest, found: MethodSetup) -> HttpResponse:
    return render(request, "payments/method_waiting.html", {"setup": found, "name": _name(found)})


def _after_verifying(request: MemberRequest, method: PaymentMethod, state: str) -> HttpResponse:
    if state == "verified":
        messages.success(request, _("%(method)s is verified. You can pay with it.") % {"method": wording.saved(method)})
    else:
        messages.error(request, _("This account can no longer be verified. Read below what to do."))
    return redirect("payment_methods")


def _wrong(outcome: verification.Outcome) -> str:
    if outcome.state == "unknown":
        return _("We could not check it right now. Try again in a few minutes.")
    return _("That is not what was sent to your account. Look at your statement. Tries left: %(count)d.") % {
        "count": outcome.tries_left
    }


def _name(found: MethodSetup) -> str:
    return wording.name(found.kind, found.brand, found.last4, found.wallet, bank_name=found.bank_name)
