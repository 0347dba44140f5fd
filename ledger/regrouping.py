"""Putting an account below another control of its household: whose it is changed, and no money moved.

Its transfers stay as they are, so that payments, refunds and returns of it go on where they stood. What is summed by
controls (who owes, who has paid) is the other's from then on, the past included.
"""

from django.db import connection

from ledger.locking import hold

PUT = "UPDATE ledger_account SET control_id = %s WHERE id = %s AND control_id <> %s"


def put_below(account_id: int, control_id: int) -> bool:
    """Put an account below a control, within the caller's transaction; False where it stands there.

    The database moves its balance from the one control to the other, and refuses one of another owner
    (django.db.IntegrityError). A posting that had looked at the account before is begun again
    (ledger.transactions.atomic_with_retry).
    """
    hold([account_id, control_id])
    with connection.cursor() as cursor:
        cursor.execute(PUT, [control_id, account_id, control_id])
        return bool(cursor.rowcount)
