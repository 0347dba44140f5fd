"""What a notice says, in its reader's language (FAULTS L01, L14, L17).

A mail says that there is news and where to read it: no service, provider, member or name, nothing that is loaded from
anywhere, and an amount only where the kind may bear one and the member asked for amounts.
"""

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext_lazy

from notifications.kinds import KINDS, Kind
from notifications.news import News

ANYWHERE = "/where-the-news-is-read/"  # stands for the link in what is printed for many


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What mails have in common that differ by their reader and their link alone: ANYWHERE stands for the link."""

    language: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail and where it goes; with the form that it was filled in from, and the link."""

    address: str
    language: str
    subject: str
    text: str
    html: str
    form: Form | None = None
    path: str = ""


class Printer:
    """Renders mails. Those of one run that differ by their link alone are rendered once."""

    def __init__(self) -> None:
        self._forms: dict[tuple[object, ...], Form] = {}

    def print(self, kind_name: str, news: News, *, address: str, language: str, states_amounts: bool = False) -> Mail:
        """A mail of one kind to one address."""
        kind, language = KINDS[kind_name], _known(language)
        key = (kind_name, replace(news, path=""), language, states_amounts)
        if key not in self._forms:
            self._forms[key] = _form(kind, replace(news, path=ANYWHERE), language, states_amounts=states_amounts)
        form, path = self._forms[key], news.path
        text, html = form.text.replace(ANYWHERE, path), form.html.replace(ANYWHERE, escape(path))
        return Mail(address, language, form.subject, text, html, form, path)


def _form(kind: Kind, news: News, language: str, *, states_amounts: bool) -> Form:
    with translation.override(language):
        subject, text, html = (
            render_to_string(f"mail/{kind.templates}/{part}", _context(kind, news, states_amounts=states_amounts))
            for part in ("subject.txt", "body.txt", "body.html")
        )
    return Form(language, subject.strip(), text.strip() + "\n", html)


def text_message(kind_name: str, news: News, *, language: str) -> str:
    """The words of a text message: the subject of the mail, where to read it, and how to stop it."""
    kind = KINDS[kind_name]
    with translation.override(_known(language)):
        context = _context(kind, news, states_amounts=False)
        subject = render_to_string(f"mail/{kind.templates}/subject.txt", context).strip()
        stop = translation.gettext("Reply STOP to end.")
    return f"{subject}. {context['url']} {stop}"


def _is_stated(kind: Kind, *, states_amounts: bool) -> bool:
    return kind.must_state_amount or (states_amounts and kind.may_state_amount)


def _known(language: str) -> str:
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _context(kind: Kind, news: News, *, states_amounts: bool) -> dict[str, Any]:
    return {
        "portal_name": settings.PORTAL_NAME,
        "url": settings.PORTAL_URL + news.path,
        "settings_url": settings.PORTAL_URL + reverse("notification_settings"),
        "due_on": news.due_on,
        "amount_cents": news.amount_cents if _is_stated(kind, states_amounts=states_amounts) else None,
        "count": news.count,
        "news_count": news.news_count,
        "autopay_on": news.autopay_on,
        "copied_text": news.text,
        "support_phone": settings.SUPPORT_PHONE,
        "support_tty": settings.SUPPORT_TTY,
        "support_hours": gettext_lazy(settings.SUPPORT_HOURS),
    }
