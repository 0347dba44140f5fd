"""Staff pages of questions: the worklist with its ages, the thread, and what staff do with it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from accounts.models import Household, Member, User
from accounts.staff import Action, ActionForm, Refusals
from accounts.uploads.models import UploadQuerySet
from accounts.uploads.staff_pages import FilesAdmin
from activity import ages, filters
from activity.staff import due_by, link, listed
from bills.models import Hold
from support import answers, files, threads
from support.models import MAX_TEXT, Inquiry

Status = Inquiry.Status
UNSETTLED = (Status.OPEN, Status.ANSWERED)
MAX_MESSAGES = 500
ANSWERED = "Answered"
QUICKER: Refusals = {threads.StateChanged: "Somebody was quicker: look at the question again."}


class AnswerForm(ActionForm):
    """An answer: a standard one in the member's language, one's own words, or both."""

    standard = forms.ChoiceField(
        required=False, label="Standard answer",
        choices=[("", "None"), *((key, title) for key, (title, _text) in answers.STANDARD.items())],
        help_text="Sent in the member's language, before your own words.",
    )  # fmt: skip
    text = forms.CharField(
        required=False, label="Your own words", max_length=MAX_TEXT, widget=forms.Textarea({"rows": 8, "cols": 80})
    )
    keeps_hold = forms.BooleanField(
        required=False, label="Keep the bill on hold", help_text="The answer is not final: you write again."
    )
    reason = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ("standard", "text", "keeps_hold", "key")

    def clean(self) -> dict[str, Any]:
        """Something must be said."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not given.get("standard") and not (given.get("text") or "").strip():
            raise forms.ValidationError("Choose a standard answer, or write one.")
        given["reason"] = ANSWERED
        return given


class AssignForm(ActionForm):
    """Who is to have it."""

    to = forms.EmailField(label="Give it to", help_text="The address of a colleague who answers questions.")
    field_order = ("to", "reason", "key")

    def clean_to(self) -> Any:
        """Somebody of staff who may answer."""
        user = get_user_model().objects.filter(email__iexact=self.cleaned_data["to"], is_active=True).first()
        if user is None or not user.is_staff or not user.has_perm("support.change_inquiry"):
            raise forms.ValidationError("Nobody of this address answers questions.")
        return user


class CloseForm(ActionForm):
    """Why it ends, and what the member is told."""

    text = forms.CharField(
        required=False, label="What the member is told", max_length=MAX_TEXT,
        widget=forms.Textarea({"rows": 5, "cols": 80}), help_text="Empty: nothing is sent.",
    )  # fmt: skip
    field_order = ("text", "reason", "key")


def _answer(user: User, inquiry: Inquiry, given: dict[str, Any]) -> str:
    standard = answers.text_of(given["standard"], reader=inquiry.asked_by) if given["standard"] else ""
    text = "\n\n".join(part for part in (standard, given["text"].strip()) if part)
    threads.answer(inquiry, by=user, text=text, keeps_hold=given["keeps_hold"])
    return "The answer is sent."


def _assign(user: User, inquiry: Inquiry, given: dict[str, Any]) -> str:
    threads.assign(inquiry, to=given["to"], by=user)
    return f"{given['to'].email} has it now."


def _close(user: User, inquiry: Inquiry, given: dict[str, Any]) -> str:
    threads.close(inquiry, by=user, reason=given["reason"], text=given["text"].strip())
    return "The question is closed."


def _hold(user: User, inquiry: Inquiry, given: dict[str, Any]) -> str:
    threads.hold(inquiry, by=user, reason=given["reason"])
    return "The bill is on hold."


def _release(user: User, inquiry: Inquiry, given: dict[str, Any]) -> str:
    return "The bill goes on." if threads.release(inquiry, by=user) else "No hold of this question stood."


def _is_unsettled(inquiry: Inquiry) -> bool:
    return inquiry.status in UNSETTLED


def _can_hold(inquiry: Inquiry) -> bool:
    return _is_unsettled(inquiry) and inquiry.bill_id is not None and not threads.is_holding(inquiry)


class StateFilter(filters.StateFilter):
    """What waits for staff first; what is overdue, mine, answered, closed on demand."""

    unfiltered = "Waiting for us"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Besides what waits for an answer."""
        return [
            ("overdue", "Overdue"), ("mine", "Mine"), ("disputed", "Disputed bills"), ("answered", "Answered"),
            ("closed", "Closed"), ("all", "All"),
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Inquiry]) -> QuerySet[Inquiry]:
        """Filter by what was chosen."""
        waiting = queryset.filter(status=Status.OPEN)
        unsettled = queryset.exclude(status=Status.CLOSED)
        chosen = {
            "overdue": waiting.filter(due_at__lt=timezone.now()),
            "mine": unsettled.filter(assigned_to_id=request.user.pk),
            "disputed": unsettled.filter(topic=Inquiry.Topic.WRONG, bill__isnull=False),
            "answered": queryset.filter(status=Status.ANSWERED),
            "closed": queryset.filter(status=Status.CLOSED),
            "all": queryset,
        }
        return chosen.get(self.value() or "", waiting)


@admin.register(Inquiry)
class InquiryAdmin(FilesAdmin):
    """Questions of members, what is due first first."""

    member_path = "member"
    change_list_template = "admin/aged_list.html"
    list_display = ("number", "topic", "household", "member", "bill", "status", "age", "due", "assigned")
    list_filter = (StateFilter, "topic")
    list_select_related = ("household", "member", "bill", "assigned_to")
    ordering = ("due_at", "pk")
    search_help_text = "The number of a question, a household or a member, whole"
    exact_search = ("number",)
    linked_by = ("bill__id__exact", "member__id__exact", "household__id__exact")
    fields = (
        "number", "topic", "flag", "status", "household_link", "member_link", "bill_link", "claim_link",
        "payment_link", "asked_by_email", "assigned", "opened_at", "age", "due", "closed_at", "close_reason",
    )  # fmt: skip
    readonly_fields = (
        "household_link", "member_link", "bill_link", "claim_link", "payment_link", "asked_by_email", "assigned", "age",
        "due",
    )  # fmt: skip
    offered = (
        Action(
            suffix="answer", label="Answer", permission="support.change_inquiry", form=AnswerForm,
            run=_answer, refusals=QUICKER, applies=_is_unsettled,
            explains="The member reads it in the portal; the mail says only that there is an answer.",
        ),
        Action(
            suffix="give", label="Give to a colleague", permission="support.change_inquiry", form=AssignForm,
            run=_assign, refusals=QUICKER, applies=_is_unsettled, explains="Makes somebody the one who answers.",
        ),
        Action(
            suffix="hold-bill", label="Hold the bill", permission="support.change_inquiry", run=_hold, refusals=QUICKER,
            applies=_can_hold, explains="Nothing is due on it, reminded of or charged until it goes on.",
        ),
        Action(
            suffix="release-bill", label="Let the bill go on", permission="support.change_inquiry",
            run=_release, refusals=QUICKER, applies=threads.is_holding,
            explains="Ends the hold of this question. There is time to pay from then on.",
        ),
        Action(
            suffix="close", label="Close", permission="support.change_inquiry", form=CloseForm, run=_close,
            refusals=QUICKER, applies=_is_unsettled,
            explains="Ends the question and its hold. The member may open it again.",
        ),
    )  # fmt: skip

    def searched(self, term: str) -> Q:
        """Ids first, so that every branch is an index of the one table."""
        household_ids = list(Household.objects.filter(number=term).values_list("pk", flat=True))
        member_ids = list(Member.objects.filter(number=term).values_list("pk", flat=True))
        return super().searched(term) | Q(household_id__in=household_ids) | Q(member_id__in=member_ids)

    def uploads_of(self, obj: Inquiry) -> UploadQuerySet:
        """The files of the thread."""
        return files.of_inquiry(obj)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what waits by age."""
        opened = Inquiry.objects.filter(status=Status.OPEN).values_list("opened_at", flat=True)
        chart = ages.chart(opened, title="What waits for an answer, by age", now=timezone.now())
        return super().changelist_view(request, (extra_context or {}) | {"chart": chart})

    def page_context(self, request: HttpRequest, obj: Inquiry) -> dict[str, Any]:
        """The thread, and the holds of its bill."""
        thread = {
            "title": "Messages",
            "heads": ("When", "Who", "What", "File"),
            "rows": [
                (
                    _moment(message.at),
                    _who(message.author, is_from_plan=message.is_from_plan),
                    message.text,
                    self.link_to(obj, message.upload),
                )
                for message in obj.messages.select_related("author", "upload")[:MAX_MESSAGES]
            ],
            "empty": "There is no message.",
        }
        holds = Hold.objects.filter(bill=obj.bill_id or 0).order_by("-pk")[:50]
        held = {
            "title": "Holds of the bill",
            "heads": ("Cause", "Came of", "Since", "Until"),
            "rows": [
                (hold.get_cause_display(), hold.reference or "-", _moment(hold.began_at), _moment(hold.ended_at))
                for hold in holds
            ],
            "empty": "None.",
        }
        return super().page_context(request, obj) | {"tables": [thread, held]}

    def related(self, request: HttpRequest, obj: Inquiry) -> list[tuple[str, str]]:
        """What belongs to it."""
        return [
            ("Work", listed("activity_workitem", q=f"inquiry:{obj.number}")),
            ("What happened", listed("activity_event", subject=f"inquiry:{obj.number}")),
            ("Who looked", listed("activity_access", q=f"inquiry:{obj.number}")),
        ]

    def summary(self, obj: Inquiry) -> list[tuple[str, object]]:
        """What an action is about: the question itself last."""
        latest = obj.messages.filter(is_from_plan=False).last()
        return [
            ("Question", obj.number), ("Topic", obj.get_topic_display()), ("Bill", obj.bill or "-"),
            ("They wrote", latest.text if latest else "-"),
        ]  # fmt: skip

    @admin.display(description="age", ordering="opened_at")
    def age(self, obj: Inquiry) -> str:
        """How long since it was asked."""
        return timesince(obj.opened_at, obj.closed_at or timezone.now())

    @admin.display(description="due", ordering="due_at")
    def due(self, obj: Inquiry) -> SafeString | str:
        """By when we answer; said loudly where that is past."""
        if obj.due_at is None:
            return "-"
        return due_by(timezone.localdate(obj.due_at), is_late=obj.due_at < timezone.now())

    @admin.display(description="assigned to")
    def assigned(self, obj: Inquiry) -> str:
        """Who has it."""
        return obj.assigned_to.email if obj.assigned_to else "nobody yet"

    @admin.display(description="asked by")
    def asked_by_email(self, obj: Inquiry) -> str:
        """Who asked."""
        return obj.asked_by.email

    @admin.display(description="household")
    def household_link(self, obj: Inquiry) -> SafeString | str:
        """The household."""
        return link(obj.household)

    @admin.display(description="member")
    def member_link(self, obj: Inquiry) -> SafeString | str:
        """Whom it is about."""
        return link(obj.member)

    @admin.display(description="bill")
    def bill_link(self, obj: Inquiry) -> SafeString | str:
        """The bill."""
        return link(obj.bill)

    @admin.display(description="claim")
    def claim_link(self, obj: Inquiry) -> SafeString | str:
        """The claim."""
        return link(obj.claim)

    @admin.display(description="payment")
    def payment_link(self, obj: Inquiry) -> SafeString | str:
        """The payment."""
        return link(obj.payment)


def _moment(at: Any) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else "-"


def _who(author: User | None, *, is_from_plan: bool) -> str:
    if author is None:
        return "the portal"
    return author.email if is_from_plan else f"member's side, {author.email}"
