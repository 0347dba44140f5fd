"""What the database refuses about members beyond their constraints: triggers, since they look at a second row."""

import pgtrigger

from billing_portal.triggers import Trigger

# At the end of the transaction, so that a person may be moved to another household with both sides.
MEMBER_WALLS = [
    Trigger(
        name="private_side_of_ones_own",
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Condition("NEW.private_of_id IS NOT NULL"),
        func="""
            IF NOT EXISTS (
                SELECT FROM accounts_member side JOIN accounts_member person ON person.id = side.private_of_id
                WHERE side.id = NEW.id AND person.private_of_id IS NULL AND person.household_id = side.household_id
                  AND NOT EXISTS (SELECT FROM accounts_member other WHERE other.private_of_id = side.id)
            ) THEN
                RAISE EXCEPTION 'a private side is of a person of the same household'
                  USING ERRCODE = 'restrict_violation', CONSTRAINT = 'accounts_member_private_side_of_ones_own';
            END IF;
            RETURN NULL;
        """,
    ),
    Trigger(
        name="private_side_goes_along",
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition("NEW.household_id <> OLD.household_id"),
        func="""
            IF EXISTS (
                SELECT FROM accounts_member side JOIN accounts_member person ON person.id = side.private_of_id
                WHERE person.id = NEW.id AND person.household_id <> side.household_id
            ) THEN
                RAISE EXCEPTION 'a private side is of a person of the same household'
                  USING ERRCODE = 'restrict_violation', CONSTRAINT = 'accounts_member_private_side_of_ones_own';
            END IF;
            RETURN NULL;
        """,
    ),
]
