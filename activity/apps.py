"""The app's entry in the house."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    """Activity."""

    name = "activity"
