"""The page that gives a file back to the one who sent it."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from accounts.uploads.models import Upload
from accounts.uploads.serving import attachment


@require_GET
@allow(Policy.MEMBER)
def upload(request: MemberRequest, key: str) -> HttpResponse:
    """A file of one's own, once it is clean."""
    return attachment(get_object_or_404(Upload.objects.visible_to(request.scope), key=key))
