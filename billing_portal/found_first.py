"""A condition on rows of which few are found first, by another table: as a list, and not by a join."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, QuerySet


def one_of(column: str, ids: QuerySet[Any, Any]) -> Func:
    """Whether a column is one of these few ids, which are read before the rows are.

    To `column__in` the planner may bring every row that the other conditions leave, all bills of a household of a
    thousand, to keep five.
    """
    return Func(
        F(column), ArraySubquery(ids), template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField()
    )
