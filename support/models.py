"""Questions to Member Services: an inquiry about a bill, a claim, a payment or nothing of these, and its messages."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Household, Member, Upload
from accounts.visibility import Viewer, scope_of
from bills.models import Bill, Claim
from payments.models import Payment

MAX_TEXT = 4000


class InquiryQuerySet(models.QuerySet["Inquiry"]):
    """Inquiries, and who may read them."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Whose member it is about; who asked, as long as they see that member; who acts for a member.

        A holder reads what concerns members without a sign-in of their own, and what they asked themselves: what
        another adult of the household writes to the plan is that adult's (docs/decisions/1602). A delegate who may see
        services reads what concerns the member. What was asked about a bill or claim that has come to its person's
        private side since is that person's alone (bills.imports.moving).
        """
        scope = scope_of(viewer)
        granted = [member for member, grant in scope.grants.items() if grant != "pay_only"]
        shared = Q(member_id__in=scope.confidential_ids, bill__shared_at__isnull=False)
        stays = [
            Q(**{f"{about}__isnull": True}) | Q(**{f"{about}__member": F("member")})
            | Q(**{f"{about}__member__in": scope.member_ids})
            for about in ("bill", "claim")
        ]  # fmt: skip
        return self.filter(
            *stays,
            Q(member_id__in=scope.own_ids)
            | Q(member_id__in=granted)
            | Q(member_id__in=scope.held_ids, member__user__isnull=True)
            | (Q(asked_by_id=scope.user_id) & (Q(member_id__in=scope.member_ids) | shared)),
        )

    def unsettled(self) -> Self:
        """Those that are not closed."""
        return self.exclude(status=Inquiry.Status.CLOSED)


class Inquiry(models.Model):
    """One question, and what became of it. `charged_cents`: what its bill charged when it was asked, US cents."""

    class Topic(models.TextChoices):
        MISSING_BILL = "missing_bill", _("I did not get a bill I expected")
        WRONG = "wrong", _("Something is wrong")
        ALREADY_PAID = "already_paid", _("I already paid this")
        OTHER = "other", _("Something else")

    class Status(models.TextChoices):
        OPEN = "open", _("We are looking into it")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")

    number = models.CharField(max_length=9, unique=True)
    topic = models.CharField(max_length=12, choices=Topic.choices)
    flag = models.CharField(max_length=20, blank=True)  # of the bill check (bills.checking.Flag)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    household = models.ForeignKey(Household, models.PROTECT, related_name="inquiries")
    member = models.ForeignKey(Member, models.PROTECT, related_name="inquiries")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="inquiries")
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, blank=True, related_name="inquiries")
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, blank=True, related_name="inquiries")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="inquiries")
    charged_cents = models.BigIntegerField(null=True, blank=True)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    form_key = models.CharField(max_length=32)  # drawn when the form was opened: sent twice, it asks once
    opened_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(null=True, blank=True)  # by when staff answer; nothing where the turn is not theirs
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=500, blank=True)

    objects = InquiryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "inquiries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="support_inquiry_once_a_form", fields=["asked_by", "form_key"]),
            models.CheckConstraint(
                name="support_inquiry_closed_with_reason",
                condition=Q(status="closed", closed_at__isnull=False) & ~Q(close_reason="")
                | ~Q(status="closed") & Q(closed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="support_inquiry_open_has_clock", condition=~Q(status="open") | Q(due_at__isnull=False)
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(name="support_inquiry_unsettled", fields=["due_at"], condition=~Q(status="closed")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def reference(self) -> str:
        """What holds that it caused are known by."""
        return f"inquiry:{self.pk}"


class Message(models.Model):
    """One message of a thread, with a file at most. `author` is nobody where the portal tells of a correction."""

    inquiry = models.ForeignKey(Inquiry, models.PROTECT, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    is_from_plan = models.BooleanField(default=False)
    text = models.TextField(max_length=MAX_TEXT)
    upload = models.OneToOneField(Upload, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="support_message_file_is_the_member_s", condition=Q(upload__isnull=True) | Q(is_from_plan=False)
            )
        ]

    def __str__(self) -> str:
        return f"message {self.pk} of inquiry {self.inquiry_id}"
