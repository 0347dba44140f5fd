"""`{% kept "layouts/_footer.html" %}`: the parts of a page that are the same for everybody, rendered once a process."""

from functools import lru_cache
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()

MAX_KEPT = 512
EVERYWHERE = ("portal_name", "is_demo", "support_phone", "support_tty", "support_hours")  # billing_portal.context
TOKEN = "the-token-against-forgery-stands-here"  # noqa: S105  # no secret: where one is put in


@register.simple_tag(takes_context=True)
def kept(context: Context, name: str, **values: str) -> SafeString:
    """Include a template that knows the portal's own name and telephone, these values, and nothing of who is looking.

    So nothing about a person can be kept (FAULTS M08). The values are few: the section of the portal, never a member's.
    A form's token against forgery is put in afterwards.
    """
    token = str(context.get("csrf_token") or "")
    everywhere = tuple(str(context.get(word, "")) if word != "is_demo" else context.get(word) for word in EVERYWHERE)
    html = _rendered(name, get_language(), token != "", everywhere, tuple(values.items()))
    return SafeString(html.replace(TOKEN, token)) if token else html


@register.filter
def section(path: str) -> str:
    """The first part of an address, as in `/bills/`: the portal's section that a page stands in."""
    return f"/{path.split('/')[1]}/" if path.count("/") > 1 else ""


@lru_cache(maxsize=MAX_KEPT)
def _rendered(
    name: str, language: str | None, has_token: bool, everywhere: tuple[Any, ...], values: tuple[tuple[str, str], ...]
) -> SafeString:
    context = dict(zip(EVERYWHERE, everywhere, strict=True)) | dict(values)
    if has_token:
        context["csrf_token"] = TOKEN
    return SafeString(get_template(name).render(context))
