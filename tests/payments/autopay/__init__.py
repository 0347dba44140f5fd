"""Autopay, as the member sees it."""
