"""Make the database role that the portal itself signs in as, with no more rights than it needs."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction

from ledger import roles


class Command(BaseCommand):
    """`grant_portal_role --url-file FILE`"""

    help = (
        "Make the role and password of the database URL in FILE, with no more rights than the portal needs. "
        "Run it as the owner of the tables, after every migrate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file that web and workers read as DATABASE_URL_FILE."""
        parser.add_argument("--url-file", type=Path, required=True)

    @transaction.atomic
    def handle(self, *args: Any, url_file: Path, **options: Any) -> None:
        """Grant, and name the role."""
        try:
            url = urlsplit(url_file.read_text().strip())
        except OSError as error:
            raise CommandError(f"{url_file} cannot be read: {error.strerror}") from error
        if not url.username or not url.password:
            raise CommandError(f"{url_file} holds no postgresql://ROLE:PASSWORD@… URL")
        try:
            roles.grant(unquote(url.username), unquote(url.password))
        except DatabaseError as error:
            raise CommandError(f"the rights could not be granted: {str(error).splitlines()[0]}") from error
        self.stdout.write(f"role: {unquote(url.username)}")
