"""The app's entry in the house."""

from django.apps import AppConfig


class BillsConfig(AppConfig):
    """Bills."""

    name = "bills"
