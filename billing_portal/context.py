"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

DEFAULT_HOURS = gettext_noop("Monday to Friday, 8 a.m. to 6 p.m.")  # SUPPORT_HOURS where it is not set


# SUPPORT_LANGUAGES where it is not set
DEFAULT_LANGUAGES = gettext_noop("English and Spanish; interpreters for other languages at no cost")


def portal(request: HttpRequest | None = None) -> dict[str, Any]:
    """The brand, how to reach Member Services, and whether this is the demo: of a page, and of a document without."""
    return {
        "portal_name": settings.PORTAL_NAME,
        "is_demo": settings.IS_DEMO,
        "support_phone": settings.SUPPORT_PHONE,
        "support_tty": settings.SUPPORT_TTY,
        "support_hours": _(settings.SUPPORT_HOURS),
        "support_languages": _(settings.SUPPORT_LANGUAGES),
        "support_answer_days": settings.SUPPORT_ANSWER_DAYS,
    }
