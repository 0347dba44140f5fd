"""What the database itself refuses: the triggers around accounts and transfers (DESIGN section 5, FAULTS A18, A19)."""

import pgtrigger

from billing_portal.triggers import Trigger

# Balances follow transfers, once a statement, and every row is held against its accounts first. Accounts are never
# deleted and their terms never change (ACCOUNT_WALLS), so a look is enough: no foreign key, whose lock on a system
# account would make one row hot for all (docs/ledger.md). The one thing that changes is the control above a receivable
# (ledger.regrouping): an account that was put elsewhere after the look has the posting begun again.
#
# Accounts change in the order of their ids, so that two postings never wait for each other crosswise. For many rows
# that order is the plan's: without hash joins and sequential scans only plans remain that find the accounts in it (a
# look-up for each of the sorted changes, or a merge). A locking pass ahead would say the same and cost half again.
#
# One row and many are two paths. PL/pgSQL keeps the plans of the first, each a look-up by primary key; the second is
# planned anew for the rows it has: a plan kept from a batch of 100,000 would ruin the posting of one, and the reverse.
FOLLOW = """
    SELECT count(*), min(debit_id), min(credit_id), min(owner_id), min(amount_cents), min(reverses_id)
      INTO rows, debit_side, credit_side, owner, cents, undone FROM new_rows;
    IF undone IS NOT NULL AND EXISTS (
        SELECT FROM new_rows t LEFT JOIN ledger_transfer o ON o.id = t.reverses_id
        WHERE t.reverses_id IS NOT NULL
          AND (t.debit_id, t.credit_id, t.owner_id, t.amount_cents)
              IS DISTINCT FROM (o.credit_id, o.debit_id, o.owner_id, o.amount_cents)
    ) THEN
        RAISE EXCEPTION 'a reversal is the whole of its transfer, the other way round'
          USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_transfer_mirrors';
    END IF;
    IF rows = 1 THEN
        SELECT * INTO debit FROM ledger_account WHERE id = debit_side;
        SELECT * INTO credit FROM ledger_account WHERE id = credit_side;
        IF debit.id IS NULL OR debit.is_control OR debit.owner_id NOT IN (0, owner) THEN
            wrong := debit_side;
        ELSIF credit.id IS NULL OR credit.is_control OR credit.owner_id NOT IN (0, owner) THEN
            wrong := credit_side;
        END IF;
        is_between := debit.control_id IS DISTINCT FROM credit.control_id;  -- a control takes what it gives
        FOR changed, change, below IN
            SELECT side.id, side.cents, side.below FROM (VALUES
                (CASE WHEN is_between THEN debit.control_id END, cents, NULL),
                (CASE WHEN debit.is_tracked THEN debit.id END, cents, debit.control_id),
                (CASE WHEN is_between THEN credit.control_id END, -cents, NULL),
                (CASE WHEN credit.is_tracked THEN credit.id END, -cents, credit.control_id)
            ) side (id, cents, below) WHERE side.id IS NOT NULL AND wrong IS NULL ORDER BY side.id
        LOOP
            UPDATE ledger_account SET balance_cents = balance_cents + change
             WHERE id = changed AND control_id IS NOT DISTINCT FROM below;
            is_moved := is_moved OR NOT FOUND;
        END LOOP;
    ELSIF rows > 1 THEN
        plans := array[current_setting('enable_hashjoin'), current_setting('enable_seqscan')];
        PERFORM set_config('enable_hashjoin', 'off', true), set_config('enable_seqscan', 'off', true);
        EXECUTE $many$
            WITH side AS (
                SELECT debit_id AS id, owner_id, amount_cents AS cents FROM new_rows
                UNION ALL SELECT credit_id, owner_id, -amount_cents FROM new_rows
            ), moved AS MATERIALIZED (
                SELECT s.id, s.cents, a.control_id, a.is_tracked,
                       a.id IS NULL OR a.is_control OR a.owner_id NOT IN (0, s.owner_id) AS is_wrong
                  FROM (SELECT id, owner_id, sum(cents) AS cents FROM side GROUP BY id, owner_id) s
                  LEFT JOIN ledger_account a ON a.id = s.id
            ), change AS (
                SELECT id, sum(cents) AS cents, min(below) AS below FROM (
                    SELECT id, cents, control_id AS below FROM moved WHERE is_tracked
                    UNION ALL SELECT control_id, cents, NULL FROM moved WHERE control_id IS NOT NULL
                ) each GROUP BY id HAVING sum(cents) <> 0
            ), done AS (
                UPDATE ledger_account a SET balance_cents = a.balance_cents + change.cents
                  FROM (SELECT id, cents, below FROM change ORDER BY id) change WHERE a.id = change.id
                RETURNING a.control_id IS DISTINCT FROM change.below AS is_moved
            )
            SELECT (SELECT min(id) FROM moved WHERE is_wrong), (SELECT bool_or(done.is_moved) FROM done)
        $many$ INTO wrong, is_moved;
        PERFORM set_config('enable_hashjoin', plans[1], true), set_config('enable_seqscan', plans[2], true);
    END IF;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'account % does not exist, or is another owner''s, or takes no transfer of its own', wrong
          USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_transfer_accounts';
    END IF;
    IF is_moved THEN
        RAISE EXCEPTION 'an account was put below another control meanwhile: begin again'
          USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
"""

FOLLOW_VARIABLES = [
    ("rows", "bigint"), ("debit_side", "bigint"), ("credit_side", "bigint"), ("owner", "bigint"), ("cents", "bigint"),
    ("undone", "bigint"), ("wrong", "bigint"), ("changed", "bigint"), ("change", "bigint"), ("below", "bigint"),
    ("is_moved", "boolean := false"), ("is_between", "boolean"),
    ("debit", "ledger_account"), ("credit", "ledger_account"), ("plans", "text[]"),
]  # fmt: skip


def _refusing(what: str) -> str:
    return f"RAISE EXCEPTION '{what}' USING ERRCODE = 'restrict_violation';"


FIXED = "the terms of an account are fixed when it opens"

# A receivable may be put below another control of its household: what it holds goes along, so that each control is the
# sum of those below it. No money moves.
_REGROUP = """
    IF OLD.control_id IS NULL OR NEW.control_id IS NULL OR NEW.balance_cents <> OLD.balance_cents THEN
        FIXED
    END IF;
    IF NOT EXISTS (
        SELECT FROM ledger_account
        WHERE id = NEW.control_id AND is_control AND type = NEW.type AND owner_id = NEW.owner_id
    ) THEN
        RAISE EXCEPTION 'an account rolls up into a control account of its own owner and type'
          USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_account_control';
    END IF;
    IF NEW.control_id <> OLD.control_id AND OLD.balance_cents <> 0 THEN
        UPDATE ledger_account a SET balance_cents = a.balance_cents
            + CASE WHEN a.id = NEW.control_id THEN OLD.balance_cents ELSE -OLD.balance_cents END
         WHERE a.id IN (OLD.control_id, NEW.control_id);
    END IF;
    RETURN NEW;
"""
REGROUP = _REGROUP.replace("FIXED", _refusing(FIXED))

TRANSFER_WALLS = [
    Trigger(
        name="balances_follow",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
        declare=FOLLOW_VARIABLES,
        func=FOLLOW,
    ),
    Trigger(
        name="immutable",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func=_refusing("a transfer is never changed and never deleted: post its reversal"),
    ),
]

ACCOUNT_WALLS = [
    Trigger(
        name="opens_at_zero",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Condition("NEW.balance_cents <> 0"),
        func=_refusing("an account opens at zero: post a transfer"),
    ),
    Trigger(
        name="under_its_own_control",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Condition("NEW.control_id IS NOT NULL"),
        func="""
            IF NEW.is_tracked AND NOT NEW.is_control AND EXISTS (
                SELECT FROM ledger_account
                WHERE id = NEW.control_id AND is_control AND type = NEW.type AND owner_id = NEW.owner_id
            ) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an account rolls up into a control account of its own owner and type'
              USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_account_control';
        """,
    ),
    Trigger(
        name="balance_by_transfer_only",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf("balance_cents"),  # type: ignore[no-untyped-call]
        condition=pgtrigger.Condition(
            "pg_trigger_depth() = 0 AND NEW.balance_cents IS DISTINCT FROM OLD.balance_cents"
        ),
        func=_refusing("a balance changes by a transfer and by nothing else"),
    ),
    Trigger(
        name="terms_are_fixed",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
            "id", "type", "code", "owner_id", "is_control", "is_tracked",
            "credits_must_not_exceed_debits", "debits_must_not_exceed_credits",
        ),
        func=_refusing(FIXED),
    ),
    Trigger(
        name="regrouped_with_its_balance",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf("control_id"),  # type: ignore[no-untyped-call]
        func=REGROUP,
    ),
    Trigger(
        name="kept",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Delete | pgtrigger.Truncate,
        func=_refusing("an account is never deleted"),
    ),
]  # fmt: skip
