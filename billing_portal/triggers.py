"""Database triggers that no session can switch off.

django-pgtrigger's own ask `current_setting('pgtrigger.ignore')` first, which every role may set: a wall with a door.
These leave the question out, and the subtransaction that it costs on each call.
"""

from collections.abc import Iterable

import pgtrigger
from django.db import models
from pgtrigger import compiler


class FirmSql(compiler.UpsertTriggerSql):
    """The installation of a trigger, without the question whether to ignore it. Migrations name this class."""

    def get_template(self) -> str:
        """Return the statements that install it. Not to be edited: older migrations use it too."""
        return """
            CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid} {when} {operation} ON {table} {timing} {referencing}
                FOR EACH {level} {condition} EXECUTE PROCEDURE {execute};
            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class Firm:
    """Mixed in before a trigger of pgtrigger's, it makes that firm."""

    def compile(self, model: models.Model) -> compiler.Trigger:
        """Compile as pgtrigger does, and put the firm installation in its place."""
        compiled = super().compile(model)  # type: ignore[misc]
        sql = compiled.sql
        return compiler.Trigger(name=compiled.name, sql=FirmSql(**(sql.defaults | sql.kwargs)))


class Trigger(Firm, pgtrigger.Trigger):
    """A trigger of one's own writing."""


class FSM(Firm, pgtrigger.FSM):
    """The allowed moves of a status."""


def moves(allowed: Iterable[tuple[str, str]], *, name: str = "moves_as_allowed") -> FSM:
    """Let a status make the moves of a table in code (before, after), and no other."""
    return FSM(name=name, field="status", transitions=sorted((str(before), str(after)) for before, after in allowed))


def kept(
    *fields: str,
    because: str = "what was agreed to is neither changed nor deleted",
    names: tuple[str, str] = ("words_stay", "is_kept"),
) -> list[pgtrigger.Trigger]:
    """Refuse a change of these fields of a row, and its deletion."""
    refuse = f"RAISE EXCEPTION '{because}';"
    changed = pgtrigger.AnyChange(*fields)
    return [
        Trigger(name=names[0], operation=pgtrigger.Update, when=pgtrigger.Before, condition=changed, func=refuse),
        Trigger(name=names[1], operation=pgtrigger.Delete, when=pgtrigger.Before, func=refuse),
    ]
