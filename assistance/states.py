"""The states of an application and the moves between them: the one table in code, and the same in the database."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ApplicationStatus(models.TextChoices):
    """Where an application stands."""

    DRAFT = "draft", _("Not sent yet")
    SUBMITTED = "submitted", _("Being decided")
    MISSING = "missing", _("Waiting for you")
    APPROVED = "approved", _("Approved")
    DENIED = "denied", _("Not approved")
    APPEALED = "appealed", _("Appeal being decided")
    UPHELD = "upheld", _("Not approved after appeal")
    WITHDRAWN = "withdrawn", _("Withdrawn")


S = ApplicationStatus

ALLOWED: frozenset[tuple[ApplicationStatus, ApplicationStatus]] = frozenset(
    {
        (S.DRAFT, S.SUBMITTED),
        (S.DRAFT, S.WITHDRAWN),
        (S.SUBMITTED, S.MISSING),
        (S.SUBMITTED, S.APPROVED),
        (S.SUBMITTED, S.DENIED),
        (S.SUBMITTED, S.WITHDRAWN),
        (S.MISSING, S.SUBMITTED),
        (S.MISSING, S.APPROVED),
        (S.MISSING, S.DENIED),
        (S.MISSING, S.WITHDRAWN),
        (S.DENIED, S.APPEALED),
        (S.APPEALED, S.APPROVED),
        (S.APPEALED, S.UPHELD),
        (S.APPEALED, S.WITHDRAWN),
    }
)
PENDING = (S.SUBMITTED, S.MISSING, S.APPEALED)
OPEN = (S.DRAFT, *PENDING)
