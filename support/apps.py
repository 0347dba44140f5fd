"""The app's entry in the house."""

from django.apps import AppConfig


class SupportConfig(AppConfig):
    """Support."""

    name = "support"
