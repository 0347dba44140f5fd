"""How a file leaves: as something to save, never as a page of ours (FAULTS K09)."""

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header

from accounts.uploads import store
from accounts.uploads.models import Upload

TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
POLICY = "sandbox; default-src 'none'"


def attachment(upload: Upload) -> HttpResponse:
    """The answer that carries a clean file. Who may have it has been checked by the caller, at this request.

    Raises Http404 for one that is held, quarantined or deleted.
    """
    if not upload.is_clean:
        raise Http404("not released")
    try:
        content = store.path_of(upload.stored_as).read_bytes()  # at most limits.MAX_BYTES and a little
    except FileNotFoundError as error:
        raise Http404("not in the store") from error
    response = HttpResponse(content, content_type=TYPES[upload.kind])
    response.headers["Content-Disposition"] = content_disposition_header(True, upload.served_name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
