"""Documents as tagged PDF (PDF/UA-1): read aloud in order, in their language, with their title."""

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.template.loader import render_to_string
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from billing_portal.context import portal

VARIANT = "pdf/ua-1"
BASE_URL = "http://document.invalid"  # nothing is fetched but the portal's own style sheets and fonts


class OwnFilesOnly(URLFetcher):  # type: ignore[misc]  # the library has no types
    """Gives static files from disk and refuses every other address: a name on a bill cannot make us fetch (I14)."""

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """Open a static file. Raises ValueError for anything else."""
        path = url.removeprefix(BASE_URL)
        if not path.startswith(settings.STATIC_URL):
            raise ValueError(f"a document may not fetch {url}")
        file = _static_file(path.removeprefix(settings.STATIC_URL))
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": kind})


def rendered(template: str, context: Mapping[str, Any], request: HttpRequest | None = None) -> bytes:
    """The template as a PDF. Its `<title>` and `lang` become the document's; it has the brand without a request too."""
    html = render_to_string(template, dict(context) if request is not None else {**portal(), **context}, request)
    document = HTML(string=html, base_url=f"{BASE_URL}/", url_fetcher=OwnFilesOnly())
    return bytes(document.write_pdf(pdf_variant=VARIANT))


def _static_file(name: str) -> Path:
    """A static file on disk: collected where it was collected, else where it is kept. Raises ValueError."""
    collected = Path(settings.STATIC_ROOT) / name
    if collected.is_file() and collected.resolve().is_relative_to(Path(settings.STATIC_ROOT).resolve()):
        return collected
    found = finders.find(name)
    if not found:
        raise ValueError(f"no static file {name}")
    return Path(found)
