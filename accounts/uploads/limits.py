"""How much a member may send, and what a request's body may weigh (FAULTS K06, K07, K11)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

MAX_BYTES = 10 * 1024 * 1024  # of one file
MAX_BODY_BYTES = 12 * 1024 * 1024  # of one request of members: one file and a form around it
MAX_FILES = 100  # that one person keeps here at a time
MAX_TOTAL_BYTES = 250 * 1024 * 1024  # of them
MAX_NAME = 100
SCANS_AT_A_TIME = 50
CLEANING_SECONDS = 30  # of one file, in its own process


class BodyLimitMiddleware:
    """Refuses a body by its stated length, before a byte of it is read.

    Without a stated length Django reads no body at all. Staff's imports have their own bound (bills.imports.uploads).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        stated = request.META.get("CONTENT_LENGTH") or "0"
        if stated.isdecimal() and int(stated) > MAX_BODY_BYTES and not request.path.startswith("/admin/"):
            return HttpResponse("Too large.", status=413, content_type="text/plain")
        return self.get_response(request)
