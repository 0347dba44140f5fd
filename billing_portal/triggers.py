"""Database triggers that no session can switch off.

django-pgtrigger's own ask `current_setting('pgtrigger.ignore')` first, which every role may set: a wall with a door.
These leave the question out, and the subtransaction that it costs on each call.
"""

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
