"""The app's entry in the house."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Ledger."""

    name = "ledger"
