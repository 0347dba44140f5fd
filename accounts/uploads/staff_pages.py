"""The files of a record, as staff read them: once each is clean, and every look is recorded."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.staff import MemberRecordAdmin
from accounts.uploads import serving
from accounts.uploads.models import Upload, UploadQuerySet
from billing_portal.ids import is_id


class FilesAdmin(MemberRecordAdmin):
    """A record that members sent files with: `uploads_of` says which are its own, and no other opens by it."""

    def uploads_of(self, obj: Any) -> UploadQuerySet:
        """The files of the record."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        """The admin's, and the page that gives a file to read."""
        return [self.page("document", self._document), *super().get_urls()]

    def link_to(self, obj: Any, upload: Upload | None) -> SafeString | str:
        """A link to a file, or why there is none to follow."""
        if upload is None:
            return "-"
        if not upload.is_clean:
            return upload.status
        return format_html(
            '<a href="{}?upload={}">{}</a>', self.page_address("document", obj), upload.pk, upload.served_name
        )

    def _document(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, object_id)
        named = request.GET.get("upload", "")
        if obj is None or not is_id(named):
            raise Http404
        if (before := self.barrier(request, obj)) is not None:
            return before
        upload = self.uploads_of(obj).filter(pk=int(named)).first()
        if upload is None:
            raise Http404
        response = serving.attachment(upload)
        self.look(request, obj, action="document")
        return response
