"""Stop the embedded servers of a folder: `python -m billing_portal.embedded.stop var/demo`."""

import sys
from pathlib import Path

from billing_portal.embedded import postgres, valkey


def stop(var_dir: Path) -> None:
    """Stop PostgreSQL and Valkey of `var_dir`, where they run."""
    valkey.stop(var_dir / "valkey")
    postgres.stop(var_dir / "postgres")


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        stop(Path(folder).resolve())
