"""Pages that show bills and payments together."""

from django.urls import path

from payments.pages import help

urlpatterns = [
    path("help/", help.help_page, name="help"),
]
