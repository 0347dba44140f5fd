"""The Django admin, with the portal's name on it and a second factor before its door."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class PortalAdminSite(AdminSite):
    """The staff's side of the portal."""

    site_header = "Billing portal"
    site_title = "Billing portal"
    index_title = "Work"
    enable_nav_sidebar = False  # lists of money are wide


class PortalAdminConfig(AdminConfig):
    """Makes the portal's site the default one."""

    default_site = "billing_portal.admin_site.PortalAdminSite"
