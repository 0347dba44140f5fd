"""Staff pages of paper checks: recorded by hand or from a lockbox file, matched, and returned by their banks."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts import reauthentication
from accounts.models import Member, User
from accounts.staff import OWN_WORDS, Action, ActionForm, AmountField, MemberRecordAdmin, money, usd
from activity.staff import ReadOnlyAdmin, link, listed, page_of
from activity.staff_forms import ReasonForm
from billing_portal.ids import with_id
from payments import lockbox, lockbox_files
from payments.lockbox import CheckError, Slip
from payments.lockbox_files import FileRefused
from payments.models import Check, LockboxFile

REFERENCE_HELP = "Numbers of bills, in the order to be paid; or a household's number: then it is household credit."


class CheckForm(ReasonForm):
    """One check as it lies on the table."""

    number = forms.CharField(label="Check number", max_length=20)
    amount = AmountField(label="Amount in dollars")
    received_on = forms.DateField(label="Received on", widget=forms.DateInput({"type": "date"}))
    reference = forms.CharField(label="Bills or household", max_length=60, required=False, help_text=REFERENCE_HELP)
    field_order = ("number", "amount", "received_on", "reference", "reason")


class MatchForm(ActionForm):
    """Where an unmatched check belongs."""

    reference = forms.CharField(label="Bills or household", max_length=60, help_text=REFERENCE_HELP)
    field_order = ("reference", "reason", "key")


class FileForm(forms.Form):
    """A lockbox file."""

    file = forms.FileField(help_text="docs/imports.md says what it holds.")


def _match(user: User, check: Check, cleaned: dict[str, Any]) -> str:
    lockbox.match(check, by=user, reason=cleaned["reason"], reference=cleaned["reference"])
    return "The check is posted."


def _take_back(user: User, check: Check, cleaned: dict[str, Any]) -> str:
    lockbox.take_back(check, by=user, reason=cleaned["reason"])
    return "The check is returned. Its bills are owed again."


@admin.register(Check)
class CheckAdmin(MemberRecordAdmin):
    """Paper checks."""

    change_list_template = "admin/aged_list.html"
    list_display = ("number", "amount", "received_on", "reference", "status", "household_link", "file", "recorded_at")
    list_filter = ("status",)
    list_select_related = ("household", "file")
    search_help_text = "A check's number or what it names, whole"
    exact_search = ("number", "reference")
    linked_by = ("file__id__exact", "household__id__exact")
    fields = (
        "number", "amount", "received_on", "reference", "batch", "status", "household_link", "file", "line",
        "recorded_by_email", "recorded_at", "returned_on",
    )  # fmt: skip
    readonly_fields = ("amount", "household_link", "recorded_by_email")
    amount = money("amount_cents", "Amount")
    offered = (
        Action(
            suffix="match", label="Put to bills or a household", permission="payments.change_check", form=MatchForm,
            run=_match, applies=lambda check: check.status == Check.Status.UNMATCHED,
            refusals={CheckError: OWN_WORDS},
            explains="Takes the check out of suspense.",
        ),
        Action(
            suffix="return", label="Returned by the bank", permission="payments.change_check", run=_take_back,
            applies=lambda check: check.status != Check.Status.RETURNED,
            refusals={CheckError: OWN_WORDS},
            explains="The bank did not pay it. What it paid is owed again.",
        ),
    )  # fmt: skip

    def searched(self, term: str) -> Q:
        """By number, by what it names, and where links lead by its own number here."""
        return super().searched(term) | with_id(term)

    def household_id_of(self, obj: Check) -> int:
        """The household's, where it is known."""
        return obj.household_id or 0

    def members_of(self, obj: Check) -> Sequence[Member]:
        """Those whose bills it paid."""
        return list(Member.objects.filter(bills__allocations__payment__checks=obj).distinct().order_by("pk"))

    def subject_of(self, obj: Check) -> str:
        """The check, by its number here."""
        return f"check:{obj.pk}"

    @admin.display(description="household")
    def household_link(self, obj: Check) -> SafeString | str:
        """The household."""
        return link(obj.household)

    @admin.display(description="recorded by")
    def recorded_by_email(self, obj: Check) -> str:
        """Who recorded it."""
        return obj.recorded_by.email

    def summary(self, obj: Check) -> list[tuple[str, object]]:
        """What an action is about."""
        return [("Check", obj.number), ("Amount", usd(obj.amount_cents)), ("Names", obj.reference or "nothing")]

    def page_context(self, request: HttpRequest, obj: Check) -> dict[str, Any]:
        """What it paid."""
        rows = [
            (link(each), each.get_kind_display(), usd(each.amount_cents), usd(each.credit_cents), each.status)
            for each in obj.payments.order_by("pk")
        ]
        table = {
            "title": "What it paid", "heads": ("Payment", "Kind", "Amount", "Of it household credit", "Status"),
            "rows": rows, "empty": "Nothing yet: it is in suspense.",
        }  # fmt: skip
        return super().page_context(request, obj) | {"tables": [table]}

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the page to record one."""
        page = self.admin_site.admin_view(reauthentication.required(self.record_one))
        return [path("record/", page, name="payments_check_record"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to record one for those who may."""
        beside = [("Record a check", reverse("admin:payments_check_record"))]
        if not request.user.has_perm("payments.add_check"):
            beside = []
        return super().changelist_view(request, (extra_context or {}) | {"beside": beside})

    def record_one(self, request: HttpRequest) -> HttpResponse:
        """Record one check by hand."""
        user = request.user
        if not isinstance(user, User) or not user.has_perm("payments.add_check"):
            raise PermissionDenied
        form = CheckForm(request.POST or None, initial={"received_on": timezone.localdate()})
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            slip = Slip(
                number=given["number"].strip(), amount_cents=given["amount"], received_on=given["received_on"],
                reference=given["reference"].strip(),
            )  # fmt: skip
            try:
                check = lockbox.record_check(slip, by=user, reason=given["reason"])
            except CheckError as error:
                form.add_error(None, str(error))
            else:
                self.look(request, check, action="record", reason=given["reason"])
                messages.success(request, f"Check {check.number} is {check.get_status_display().lower()}.")
                return HttpResponseRedirect(page_of(check))
        page = self.render(
            request, "admin/form_page.html", "Record a check", None, form=form, submit="Record the check",
            explains="A check pays the bills it names; what they do not owe is household credit.",
            back=listed("payments_check"),
        )  # fmt: skip
        page.status_code = 422 if request.method == "POST" else 200
        return page


@admin.register(LockboxFile)
class LockboxFileAdmin(ReadOnlyAdmin):
    """Files of the bank's lockbox."""

    change_list_template = "admin/aged_list.html"
    change_form_template = "admin/record.html"
    list_display = ("name", "status", "checks_read", "total", "message", "taken_by", "taken_at")
    list_select_related = ("taken_by",)
    fields = ("name", "digest", "status", "checks_read", "total", "message", "taken_by", "taken_at", "finished_at")
    readonly_fields = ("total",)
    total = money("total_cents", "Total")

    def page_context(self, request: HttpRequest, obj: LockboxFile) -> dict[str, Any]:
        """The rows that were not taken."""
        heads = ("Line", "Field", "Rule", "Reason")
        rows = [(each["line"], each["field"] or "-", each["rule"], each["reason"]) for each in obj.rejected]
        table = {"title": "Not taken", "heads": heads, "rows": rows, "empty": "Every row was taken."}
        return super().page_context(request, obj) | {"tables": [table]}

    def related(self, request: HttpRequest, obj: LockboxFile) -> list[tuple[str, str]]:
        """Its checks."""
        return [("Its checks", listed("payments_check", file__id__exact=obj.pk))]

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the upload."""
        page = self.admin_site.admin_view(reauthentication.required(self.upload))
        return [path("upload/", page, name="payments_lockboxfile_upload"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to the upload for those who may."""
        beside = [("Take in a file", reverse("admin:payments_lockboxfile_upload"))]
        if not request.user.has_perm("payments.add_lockboxfile"):
            beside = []
        return super().changelist_view(request, (extra_context or {}) | {"beside": beside})

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take a file in: whole or not at all by its totals, then row by row."""
        user = request.user
        if not isinstance(user, User) or not user.has_perm("payments.add_lockboxfile"):
            raise PermissionDenied
        form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data["file"]
            try:
                file = lockbox_files.take(given.read(lockbox_files.MAX_BYTES + 1), name=given.name, by=user)
            except FileRefused as error:
                form.add_error("file", str(error))
            else:
                self.look(request, file, action="upload")
                messages.success(request, f"{file.name}: {file.checks_read} checks read. {file.message}")
                return HttpResponseRedirect(page_of(file))
        page = self.render(
            request, "admin/form_page.html", "Take in a lockbox file", None, form=form, submit="Take it in",
            enctype="multipart/form-data", back=listed("payments_lockboxfile"),
            explains="The same file again changes nothing. Where its totals do not agree, nothing of it is taken.",
        )  # fmt: skip
        page.status_code = 422 if request.method == "POST" else 200
        return page
