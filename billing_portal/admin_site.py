"""The Django admin, with the portal's name on it and a second factor before its door."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect


class PortalAdminSite(AdminSite):
    """The staff's side of the portal."""

    site_header = "Billing portal"
    site_title = "Billing portal"
    index_title = "Work"
    enable_nav_sidebar = False  # lists of money are wide

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """None: no form here chooses a record, and its answers would list members without a record of the look."""
        raise Http404("no field completes itself")

    def password_change(  # type: ignore[override]  # the stubs say that it renders a page
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The portal's own page for it, with its limits and its notice by mail."""
        return redirect("account_change_password")


class PortalAdminConfig(AdminConfig):
    """Makes the portal's site the default one."""

    default_site = "billing_portal.admin_site.PortalAdminSite"
