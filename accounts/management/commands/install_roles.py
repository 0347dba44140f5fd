"""Make the groups of staff, each with exactly the permissions of its role."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import roles


class Command(BaseCommand):
    """`install_roles`"""

    help = "Make the groups of staff, each with exactly the permissions of its role. Run it after every migrate."

    def handle(self, *args: Any, **options: Any) -> None:
        """Install, and name the roles."""
        try:
            roles.install()
        except roles.PermissionMissing as error:
            raise CommandError(f"{error}; run `manage.py migrate` first") from error
        self.stdout.write(f"roles: {', '.join(roles.Role)}")
