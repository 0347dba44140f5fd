"""A file that a member sent: held until it was scanned, served to its owner once it is clean, deleted in the end."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.visibility import Viewer, scope_of
from billing_portal.triggers import moves


class UploadStatus(models.TextChoices):
    """Where a file stands."""

    HELD = "held", _("Being checked")
    CLEAN = "clean", _("Received")
    QUARANTINED = "quarantined", _("Refused: it carries harmful software")
    DELETED = "deleted", _("Deleted")


ALLOWED: frozenset[tuple[UploadStatus, UploadStatus]] = frozenset(
    {
        (UploadStatus.HELD, UploadStatus.CLEAN),
        (UploadStatus.HELD, UploadStatus.QUARANTINED),
        (UploadStatus.HELD, UploadStatus.DELETED),
        (UploadStatus.CLEAN, UploadStatus.DELETED),
        (UploadStatus.QUARANTINED, UploadStatus.DELETED),
    }
)


class UploadQuerySet(models.QuerySet["Upload"]):
    """Files, whose they are, and which are still here."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Those that the viewer sent: a household's holder sees no file of another's (FAULTS K13)."""
        return self.filter(owner_id=scope_of(viewer).user_id)

    def kept(self) -> Self:
        """Those whose content is here."""
        return self.exclude(status=UploadStatus.DELETED)

    def waiting(self) -> Self:
        """Those that were not scanned yet, the first to be tried first."""
        return self.filter(status=UploadStatus.HELD).order_by("next_try_at", "pk")


class Upload(models.Model):
    """One file. `key` names it in addresses, `stored_as` in the store; neither says anything of the other."""

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        JPEG = "jpg", "JPEG"
        PNG = "png", "PNG"

    key = models.CharField(max_length=43, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="uploads")
    member = models.ForeignKey("accounts.Member", models.PROTECT, related_name="uploads")  # whom it is about
    purpose = models.CharField(max_length=20)  # the app that asked for it
    name = models.CharField(max_length=100)  # as the member calls it, made harmless
    kind = models.CharField(max_length=3, choices=Kind.choices)
    status = models.CharField(max_length=11, choices=UploadStatus.choices, default=UploadStatus.HELD)
    stored_as = models.CharField(max_length=64, unique=True)
    size_bytes = models.PositiveIntegerField()
    pages = models.PositiveSmallIntegerField(default=1)
    sha256 = models.CharField(max_length=64)  # of what is served
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    scanned_at = models.DateTimeField(null=True, blank=True)
    found = models.CharField(max_length=100, blank=True)  # what the scanner calls it
    delete_after = models.DateField(null=True, blank=True)  # empty: as long as the case is open
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="accounts_upload_not_empty", condition=Q(size_bytes__gt=0)),
            models.CheckConstraint(
                name="accounts_upload_clean_was_scanned",
                condition=~Q(status=UploadStatus.CLEAN) | Q(scanned_at__isnull=False),
            ),
            models.CheckConstraint(
                name="accounts_upload_deleted_when",
                condition=Q(status=UploadStatus.DELETED, deleted_at__isnull=False)
                | (~Q(status=UploadStatus.DELETED) & Q(deleted_at__isnull=True)),
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(name="accounts_upload_held", fields=["next_try_at"], condition=Q(status="held")),
            models.Index(
                name="accounts_upload_to_delete", fields=["delete_after"], condition=Q(deleted_at__isnull=True)
            ),
        ]
        triggers: ClassVar = [moves(ALLOWED)]

    def __str__(self) -> str:
        return f"upload {self.pk}"

    @property
    def address(self) -> str:
        """Where its owner fetches it."""
        return reverse("upload", kwargs={"key": self.key})

    @property
    def is_clean(self) -> bool:
        """Whether it may be looked at."""
        return self.status == UploadStatus.CLEAN

    @property
    def served_name(self) -> str:
        """The name that it is saved by: the member's, with the one ending that its content has."""
        return f"{self.name}.{self.kind}"
