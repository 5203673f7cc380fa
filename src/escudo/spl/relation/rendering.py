"""Steps over a query -> one SELECT, nested only where a step needs what another defines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from escudo.spl.relation.sql import alias, all_hold, filter_rows, limit_rows, order_rows, select
from escudo.spl.relation.steps import Extend, Limit, Step, Where, Wrap


def render_steps(query: exp.Select, steps: Iterable[Step]) -> exp.Select:
    """``SELECT *`` and all columns of the steps over a query, without a final order."""
    level = _Level(query)
    for step in steps:
        level = level.apply(step)
    return level.query


class _Level:
    """A SELECT that takes in steps until one needs what it defines."""

    def __init__(self, query: exp.Select) -> None:
        self.query = query
        self.closed = bool(
            query.args.get("group") or query.args.get("limit") or query.args.get("distinct")
        )
        self.star = any(isinstance(e, exp.Star) for e in query.expressions)
        self.defined: set[str] = {e.alias for e in query.expressions if isinstance(e, exp.Alias)}
        self.window = False

    def fresh(self) -> _Level:
        return _Level(select([], self.query, star=True))

    def apply(self, step: Step) -> _Level:
        if isinstance(step, Wrap):
            return _Level(select([], step.build(self.query), star=True))
        if self.closed or not self.star:
            return self.fresh().apply(step)
        match step:
            case Where(condition):
                if self.window or self._uses([condition]):
                    return self.fresh().apply(step)
                self._and(condition)
            case Extend(columns, window, unnest):
                values = [sql for _, sql in columns]
                if self._uses(values) or (unnest and self.window):
                    return self.fresh().apply(step)
                for ident, sql in columns:
                    self.query.append("expressions", alias(sql, ident))
                    self.defined.add(ident)
                self.window = self.window or window
                self.closed = unnest
            case Limit(count, order, reverse):
                order_rows(self.query, [o.ordered(reverse=reverse) for o in order])
                limit_rows(self.query, count)
                self.closed = True
        return self

    def _uses(self, values: Sequence[exp.Expression]) -> bool:
        if not self.defined:
            return False
        return any(c.name in self.defined for v in values for c in v.find_all(exp.Column))

    def _and(self, condition: exp.Expression) -> None:
        where = self.query.args.get("where")
        both = [where.this, condition] if where else [condition]
        filter_rows(self.query, all_hold(both))
