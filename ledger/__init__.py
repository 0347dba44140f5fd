"""The double-entry book. `post`, `post_many`, `post_query` and `reverse` are its only writers."""

from ledger.batches import post_query
from ledger.errors import AlreadyReversed, KeyReused, LedgerError, LimitExceeded, MovementNotAllowed
from ledger.posting import Posted, Posting, post, post_many, reverse

__all__ = [
    "AlreadyReversed",
    "KeyReused",
    "LedgerError",
    "LimitExceeded",
    "MovementNotAllowed",
    "Posted",
    "Posting",
    "post",
    "post_many",
    "post_query",
    "reverse",
]
