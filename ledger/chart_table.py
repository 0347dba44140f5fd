"""The table of movements of docs/ledger.md, written from the chart: `python -m ledger.chart_table`."""

from ledger.chart import MOVEMENTS, SYSTEM_ACCOUNT_IDS, SYSTEM_ACCOUNT_TYPES, SystemAccount


def accounts() -> str:
    """The plan's own accounts, as a table."""
    rows = [
        f"| {number} | `{account.value}` | {account.label} | {SYSTEM_ACCOUNT_TYPES[account].value} |"
        for account, number in SYSTEM_ACCOUNT_IDS.items()
    ]
    return "\n".join(["| id | code | name | type |", "|---|---|---|---|", *rows])


def movements() -> str:
    """Every movement, as a table."""
    rows = [
        f"| {int(code)} | {code.label} | {_sides(movement.debit)} | {_sides(movement.credit)} |"
        for code, movement in MOVEMENTS.items()
    ]
    return "\n".join(["| code | why money moved | debit | credit |", "|---|---|---|---|", *rows])


def _sides(roles: tuple[str, ...]) -> str:
    return " or ".join(str(SystemAccount(role).label) if role in SYSTEM_ACCOUNT_IDS else role for role in roles)


if __name__ == "__main__":
    print(accounts(), movements(), sep="\n\n")  # noqa: T201  # that is what it is for
