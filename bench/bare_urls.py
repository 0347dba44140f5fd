"""The yardsticks' routes beside the portal's own."""

import json

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from payments.webhooks import INSERT


def empty(request: HttpRequest) -> HttpResponse:
    """Answer with nothing."""
    return HttpResponse(headers={"Content-Length": "0"})


def insert(request: HttpRequest) -> HttpResponse:
    """Insert the row of a webhook, unchecked."""
    event = json.loads(request.body)
    found = event["data"]["object"]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [event["id"], event["type"], found["id"], event["api_version"], request.body.decode()])
    return HttpResponse(headers={"Content-Length": "0"})


urlpatterns = [
    path("bare/empty/", empty),
    path("bare/insert/", insert),
    path("", include("billing_portal.urls")),
]
