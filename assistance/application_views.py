"""The steps of an application, each a page that works by itself and keeps what was written; and its status."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Member, Upload
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from accounts.uploads import judging, keeping
from assistance import applying, letters
from assistance.forms import AnswerForm, AppealForm, ExpenseForm, IncomeForm, PeopleForm, SignForm
from assistance.models import Application, AwardedBill, IncomeSource
from assistance.states import ApplicationStatus
from assistance.views import INVALID
from bills.models import Bill

STEPS = (gettext_lazy("People"), gettext_lazy("Income"), gettext_lazy("Expenses"), gettext_lazy("Sign"))
PURPOSE = "assistance"


def _mine(request: MemberRequest, number: str) -> Application:
    return get_object_or_404(Application.objects.visible_to(request.scope), number=number)


def _step(
    request: MemberRequest, application: Application, name: str, step: int, form: Any, **more: Any
) -> HttpResponse:
    context = {"application": application, "form": form, "steps": STEPS, "step": step, **more}
    status = INVALID if form.is_bound and form.errors else 200
    return render(request, f"assistance/{name}.html", context, status=status)


def _kept(request: MemberRequest, do: Callable[[], object], form: Any = None) -> bool:
    """Do what was asked; where it cannot be done, say so."""
    try:
        do()
    except applying.Conflict:
        messages.info(request, _("This application has moved on meanwhile. Here is where it stands."))
    except (applying.Refused, judging.Refused) as error:
        if form is None:
            messages.error(request, str(error))
        else:
            form.add_error("document" if isinstance(error, judging.Refused) else None, str(error))
            return False
    return True


@allow(Policy.MEMBER)
@require_POST
def begin(request: MemberRequest) -> HttpResponse:
    """Begin an application, or go on with the one begun."""
    try:
        application = applying.begin(request.scope, request.user, charitable="charitable" in request.POST)
    except applying.Refused as error:
        messages.error(request, str(error))
        return redirect("assistance")
    return redirect("application_people" if application.is_draft else "application", application.number)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: MemberRequest, number: str) -> HttpResponse:
    """Step 1."""
    application = _mine(request, number)
    if not application.is_draft:
        return redirect("application", number)
    allowed = [member for member in applying.may_apply_for(request.scope)
               if member.household_id == application.household_id]  # fmt: skip
    initial = {
        "members": [member.pk for member in application.members.all()], "state": application.state,
        "household_size": application.household_size, "wants_assistance": application.wants_assistance,
        "wants_charitable": application.wants_charitable,
    }  # fmt: skip
    form = PeopleForm(allowed, request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        given = dict(form.cleaned_data)
        wanted = set(given.pop("members"))
        chosen = [member for member in allowed if member.pk in wanted]
        _kept(request, lambda: applying.write(application, members=chosen, **given))
        return redirect("application_income", number)
    return _step(request, application, "people", 1, form)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def income(request: MemberRequest, number: str) -> HttpResponse:
    """Step 2: one source after the other, each with its proof."""
    application = _mine(request, number)
    if not application.is_draft:
        return redirect("application", number)
    is_posted = request.method == "POST"
    form = IncomeForm(request.POST if is_posted else None, request.FILES if is_posted else None)
    if form.is_bound and form.is_valid() and _kept(request, lambda: _add(request, application, form), form):
        return redirect("application_income", number)
    sources = list(application.sources.select_related("upload"))
    total = sum(source.yearly_cents for source in sources)
    return _step(request, application, "income", 2, form, sources=sources, total_cents=total)


def _add(request: MemberRequest, application: Application, form: IncomeForm) -> None:
    given = form.cleaned_data
    upload = _keep(request, application, given["document"])
    try:
        applying.add_income(
            application, kind=given["kind"], amount_cents=given["amount"], times_a_year=given["times_a_year"],
            upload=upload,
        )  # fmt: skip
    except (applying.Refused, applying.Conflict):
        keeping.delete(upload, by=request.user)
        raise


def _keep(request: MemberRequest, application: Application, file: Any) -> Upload:
    own = Member.objects.filter(user=request.user, household_id=application.household_id).first()
    assert own is not None
    return keeping.keep(file, by=request.user, member=own, purpose=PURPOSE)


@allow(Policy.MEMBER)
@require_POST
def drop_income(request: MemberRequest, source_id: int) -> HttpResponse:
    """Take a source out again."""
    mine = Application.objects.visible_to(request.scope)
    source = get_object_or_404(IncomeSource.objects.select_related("application"), pk=source_id, application__in=mine)
    _kept(request, lambda: applying.drop_income(source.application, source_id, by=request.user))
    return redirect("application_income", source.application.number)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def expenses(request: MemberRequest, number: str) -> HttpResponse:
    """Step 3."""
    application = _mine(request, number)
    if not application.is_draft:
        return redirect("application", number)
    cents = application.expense_cents
    initial = {"expense": f"{cents // 100}.{cents % 100:02}" if cents else ""}
    form = ExpenseForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        written = form.cleaned_data["expense"] or 0
        _kept(request, lambda: applying.write(application, expense_cents=written))
        return redirect("application_sign", number)
    return _step(request, application, "expenses", 3, form)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: MemberRequest, number: str) -> HttpResponse:
    """Step 4: everything once more, and the signature."""
    application = _mine(request, number)
    if not application.is_draft:
        return redirect("application", number)
    form = SignForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        signature = form.cleaned_data["signature"]
        if _kept(request, lambda: applying.submit(application, signature=signature, by=request.user), form):
            return redirect("application", number)
    return _step(
        request, application, "sign", 4, form, sources=application.sources.select_related("upload"),
        members=applying.asked_for(application, request.scope), total_cents=applying.yearly_income_cents(application),
    )  # fmt: skip


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def application(request: MemberRequest, number: str) -> HttpResponse:
    """Where an application stands; what it still lacks is sent here."""
    found = _mine(request, number)
    if found.is_draft:
        return redirect("application_people", number)
    is_posted = request.method == "POST"
    form = AnswerForm(request.POST if is_posted else None, request.FILES if is_posted else None)
    if form.is_bound and form.is_valid() and _kept(request, lambda: _answer(request, found, form), form):
        return redirect("application", number)
    return _page(request, found, form=form)


def _page(
    request: MemberRequest, found: Application, *, form: AnswerForm, appeal_form: AppealForm | None = None
) -> HttpResponse:
    """Where it stands, with what was refused of what was just sent, if anything was."""
    awarded = AwardedBill.objects.filter(
        award__application=found, bill__in=Bill.objects.visible_to(request.scope).values("pk")
    ).select_related("bill", "bill__receivable")
    is_denied = found.status == ApplicationStatus.DENIED
    context = {
        "application": found, "form": form, "missing": found.missing_items.select_related("upload"),
        "awards": found.awards.visible_to(request.scope).select_related("coverage", "application"),
        "awarded": awarded,
        "today": timezone.localdate(),
        "determination": found.determinations.order_by("-pk").first(),
        "is_denied": is_denied, "other": applying.other_open(found) if is_denied else None,
        "appeal_form": appeal_form or AppealForm(), "letters": letters.of(found),
    }  # fmt: skip
    is_refused = form.is_bound or (appeal_form is not None and appeal_form.is_bound)
    return render(request, "assistance/application.html", context, status=INVALID if is_refused else 200)


def _answer(request: MemberRequest, application: Application, form: AnswerForm) -> None:
    upload = _keep(request, application, form.cleaned_data["document"])
    try:
        applying.answer(application, form.cleaned_data["item"], upload=upload, by=request.user)
    except applying.Conflict:
        keeping.delete(upload, by=request.user)
        raise


@allow(Policy.MEMBER)
@require_POST
def withdraw(request: MemberRequest, number: str) -> HttpResponse:
    """Take an application back."""
    found = _mine(request, number)
    _kept(request, lambda: applying.withdraw(found, by=request.user))
    return redirect("assistance")


@allow(Policy.MEMBER)
@require_POST
def appeal(request: MemberRequest, number: str) -> HttpResponse:
    """Ask for another look."""
    found = _mine(request, number)
    form = AppealForm(request.POST)
    if form.is_valid() and _kept(
        request, lambda: applying.appeal(found, text=form.cleaned_data["text"], by=request.user), form
    ):
        return redirect("application", number)
    return _page(request, found, form=AnswerForm(), appeal_form=form)
