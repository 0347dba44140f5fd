"""What the demo alone answers to."""

from django.urls import path

from billing_portal.demo import pages

urlpatterns = [path("clock/", pages.clock_page, name="demo_clock")]
