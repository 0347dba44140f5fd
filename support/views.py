"""The pages of questions: the list, asking, and one thread."""

from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import keyset, looking, rate_limits
from accounts.models import Member
from accounts.policies import Policy, allow
from accounts.rate_limits import HOUR, Limit
from accounts.requests import MemberRequest
from accounts.uploads import judging
from billing_portal.ids import is_id
from bills import naming
from bills.checking import Flag
from support import asking, files, threads
from support.asking import About
from support.forms import AskForm, MessageForm
from support.models import Inquiry

INVALID = 422
PAGE_SIZE = 25
MAX_MESSAGES = 500
QUESTIONS_PER_USER = Limit("question:user", 30, HOUR)


@allow(Policy.MEMBER)
@require_safe
def support_page(request: MemberRequest) -> HttpResponse:
    """The questions that the viewer may read, the latest first, and how to reach Member Services."""
    page = keyset.page(
        Inquiry.objects.visible_to(request.scope).select_related("member", "bill", "claim", "payment"),
        key=("-id",), size=PAGE_SIZE, cursor=request.GET.get("page", ""), reader=f"support:{request.user.pk}",
    )  # fmt: skip
    looking.at_members(request, {inquiry.member_id for inquiry in page.rows}, "support")
    context = {
        "inquiries": page.rows,
        "previous": f"?{urlencode({'page': page.previous})}" if page.previous else "",
        "next": f"?{urlencode({'page': page.next})}" if page.next else "",
    }
    return render(request, "support/support.html", context)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: MemberRequest) -> HttpResponse:
    """Ask about a bill, a claim, a payment, or anything. Raises Http404 for what the viewer does not see."""
    named = {name: request.GET.get(name, "") for name in ("bill", "claim", "payment")}
    subject = asking.about(request.scope, **named)
    if subject is None:
        raise Http404("nothing of this number that the viewer sees")
    looking.at(request, f"ask:{next(filter(None, named.values()), '')}"[:80], subject.member.pk)
    flag = request.GET.get("flag", "")
    flag = flag if subject.bill is not None and flag in list(Flag) else ""
    is_general = not any(named.values())
    topic = Inquiry.Topic.WRONG if flag not in ("", Flag.CLAIM_OPEN) else request.GET.get("topic", "")
    form = AskForm(
        Member.objects.visible_to(request.scope).order_by("-is_primary_holder", "birth_date", "pk")
        if is_general else None,
        may_hold=asking.may_hold(request.scope, subject),
        data=request.POST if request.method == "POST" else None,
        files=request.FILES if request.method == "POST" else None,
        topic=topic if topic in Inquiry.Topic.values else "",
    )  # fmt: skip
    if form.is_bound and form.is_valid() and (asked := _asked(request, subject, form, flag)) is not None:
        return asked
    context = {
        "form": form, "subject": subject, "title": _title(request, subject),
        "back": reverse("bill", args=[subject.bill.number]) if subject.bill else reverse("support"),
    }  # fmt: skip
    return render(request, "support/ask.html", context, status=INVALID if form.is_bound else 200)


def _asked(request: MemberRequest, subject: About, form: AskForm, flag: str) -> HttpResponse | None:
    """The answer to a question that was asked; nothing where its file is refused, which the form says then."""
    if not rate_limits.take((QUESTIONS_PER_USER, str(request.user.pk))):
        return rate_limits.refuse(request)
    given = form.cleaned_data
    if "person" in given:
        subject = replace(subject, member=given["person"])
    try:
        upload = files.keep(given["document"], by=request.user, member=subject.member)
    except judging.Refused as error:
        form.add_error("document", str(error))
        return None
    try:
        inquiry = asking.ask(
            subject, by=request.user, topic=given["topic"], text=given["text"], form_key=given["form_key"], flag=flag,
            holds_bill=given.get("holds_bill", False), upload=upload,
        )  # fmt: skip
    except asking.TooManyQuestions:
        messages.error(request, _("You have many questions open. Please call Member Services."))
        return redirect("support")
    finally:
        files.drop_unused(upload, by=request.user)
    messages.success(request, _("We have your question. We tell you by email when there is an answer."))
    return redirect("inquiry", number=inquiry.number)


def _title(request: MemberRequest, subject: About) -> str:
    if subject.bill is not None:
        return naming.title_of(subject.bill, request.scope)
    if subject.claim is not None:
        return subject.claim.provider_name or _("Claim")
    return _("Payment") if subject.payment is not None else ""


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def inquiry_page(request: MemberRequest, number: str) -> HttpResponse:
    """One thread; a further message."""
    inquiry = _visible(request, number)
    looking.at(request, f"inquiry:{inquiry.number}", inquiry.member_id)
    form = MessageForm(request.POST, request.FILES) if request.method == "POST" else MessageForm()
    if form.is_bound and form.is_valid() and (written := _written(request, inquiry, form)) is not None:
        return written
    context = {
        "inquiry": inquiry,
        "thread": list(inquiry.messages.select_related("author", "upload")[:MAX_MESSAGES]),
        "form": form,
        "is_holding": threads.is_holding(inquiry),
        "viewer_id": request.user.pk,
        "is_closed": inquiry.status == Inquiry.Status.CLOSED,
        "may_close": inquiry.status != Inquiry.Status.CLOSED and asking.may_close(request.scope, inquiry),
    }
    return render(request, "support/inquiry.html", context, status=INVALID if form.is_bound else 200)


def _written(request: MemberRequest, inquiry: Inquiry, form: MessageForm) -> HttpResponse | None:
    """The answer to a message that was written; nothing where its file is refused, which the form says then."""
    if not rate_limits.take((QUESTIONS_PER_USER, str(request.user.pk))):
        return rate_limits.refuse(request)
    try:
        upload = files.keep(form.cleaned_data["document"], by=request.user, member=inquiry.member)
    except judging.Refused as error:
        form.add_error("document", str(error))
        return None
    try:
        threads.add(inquiry, by=request.user, text=form.cleaned_data["text"], upload=upload)
    finally:
        files.drop_unused(upload, by=request.user)
    messages.success(request, _("Your message is sent."))
    return redirect("inquiry", number=inquiry.number)


@allow(Policy.MEMBER)
@require_POST
def inquiry_file_remove(request: MemberRequest, number: str) -> HttpResponse:
    """Who sent a file with a message takes it away again."""
    inquiry = _visible(request, number)
    named = request.POST.get("message", "")
    if is_id(named) and files.remove(inquiry, int(named), by=request.user):
        messages.success(request, _("The file is deleted."))
    return redirect("inquiry", number=inquiry.number)


@allow(Policy.MEMBER)
@require_POST
def inquiry_close(request: MemberRequest, number: str) -> HttpResponse:
    """The member's side says that the question is settled."""
    inquiry = _visible(request, number)
    if not asking.may_close(request.scope, inquiry):
        messages.error(
            request, _("The bill waits for this question. Only who asked, or who may pay the bill, closes it.")
        )
        return redirect("inquiry", number=inquiry.number)
    try:
        threads.close(inquiry, by=request.user, reason="Settled, says who asked.")
    except threads.StateChanged:
        messages.info(request, _("This question was closed already."))
    else:
        messages.success(request, _("The question is closed. You can open it again with a message."))
    return redirect("inquiry", number=inquiry.number)


def _visible(request: MemberRequest, number: str) -> Inquiry:
    """The question of this number. Raises Http404 where the viewer may not read it."""
    found = Inquiry.objects.visible_to(request.scope).filter(number=number) if "\0" not in number else None
    inquiry = found.select_related("member", "bill", "claim", "payment").first() if found is not None else None
    if inquiry is None:
        raise Http404("no question of this number that the viewer may read")
    return inquiry
