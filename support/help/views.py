"""The help pages: by topic, by search, and one article. Anybody may read them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.policies import Policy, allow
from support.help import searching


@allow(Policy.PUBLIC)
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Show the topics, or what fits the words that are looked for."""
    asked = request.GET.get("q", "")[: searching.MAX_QUERY]
    context = {
        "layout": _layout(request),
        "topics": searching.TOPICS,
        "asked": asked,
        "found": searching.search(asked) if asked.strip() else None,
    }
    return render(request, "help/help.html", context)


@allow(Policy.PUBLIC)
@require_safe
def help_article(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one article. Raises Http404 where there is none of this name."""
    article = searching.ARTICLES.get(slug)
    if article is None:
        raise Http404("no article of this name")
    context = {
        "layout": _layout(request),
        "article": article,
        "href": reverse(article.route) if article.route else "",
    }
    return render(request, "help/article.html", context)


def _layout(request: HttpRequest) -> str:
    return "layouts/member.html" if request.user.is_authenticated else "layouts/public.html"
