"""Fill a demo with invented people; once, however often it is called."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications.demo import seeding


class Command(BaseCommand):
    """`seed_demo`"""

    help = (
        "Fill the database with the demo's invented people, bills and payments. Once: a repeat changes nothing."
        " Refused in production."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, and say what is there."""
        if settings.ENVIRONMENT.is_production:
            raise CommandError("demo data, with passwords that everybody knows, is never put into production")
        if seeding.seed(tell=lambda text: self.stdout.write(f"    {text} …")):
            self.stdout.write("    demo data is in place")
        else:
            self.stdout.write("    demo data is there already")
