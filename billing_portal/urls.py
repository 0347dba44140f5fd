"""Every address of the portal (DESIGN section 8). Each route declares who may use it: accounts/policies.py."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from billing_portal import health
from payments.webhook_views import stripe_webhook

urlpatterns = [
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("webhooks/stripe/", stripe_webhook, name="stripe_webhook"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("assistance.urls")),
    path("", include("bills.urls")),
    path("", include("notifications.urls")),
    path("", include("payments.pages.autopay_urls")),
    path("", include("payments.pages.urls")),
    path("", include("payments.urls")),
    path("", include("support.urls")),
]

if settings.IS_DEMO:
    urlpatterns.append(path("demo/", include("billing_portal.demo.urls")))
