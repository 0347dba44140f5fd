"""What the ledger refuses, each error named for the rule it keeps."""


class LedgerError(Exception):
    """A posting that the book does not take."""


class KeyReused(LedgerError):
    """The key stands already, with other content."""


class LimitExceeded(LedgerError):
    """The posting would carry a balance beyond its account's limit."""


class AlreadyReversed(LedgerError):
    """The transfer has its one reversal."""


class MovementNotAllowed(LedgerError):
    """The chart of accounts has no such movement."""
