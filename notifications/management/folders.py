"""The folder that a command writes papers to."""

from pathlib import Path

from django.core.management.base import CommandError


def empty_folder(name: str) -> Path:
    """The folder, made where it is missing, for its owner alone. Raises CommandError for one that is not empty."""
    folder = Path(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise CommandError(f"--to {folder}: is not empty")
    return folder
