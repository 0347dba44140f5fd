"""The app's entry in the house."""

from django.apps import AppConfig


class AssistanceConfig(AppConfig):
    """Assistance."""

    name = "assistance"
