"""A SQLGlot tree with kernels inside lambdas -> one with none there; called by ``macros``.

A kernel is a Python function of Spark, which may not stand in a lambda of Spark's SQL. So it is
called for whole lists, and the lambda is over the list's values with the results beside them.
``session`` registers each kernel for lists, too, under the name that ``name_for_lists`` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from escudo.engines.kernels import KERNELS, Kernel
from escudo.spl import literal_text

_KERNELS = frozenset(kernel.name.lower() for kernel in KERNELS)
_VALUE, _RESULT = "value", "_spl_result_"


def name_for_lists(name: str) -> str:
    """What a kernel is called that takes lists.

    >>> name_for_lists("spl_urldecode")
    'spl_urldecode_each'
    """
    return f"{name}_each"


def compute_each(kernel: Kernel, *lists: pa.Array) -> pa.Array:
    """What a kernel gives for lists of arguments: a list of results for each row; null where the
    lists are. Those of a row are of one length.

    >>> from escudo.engines.kernels.kernel import TEXT
    >>> twice = Kernel("twice", (TEXT,), TEXT, lambda s: s + s)
    >>> compute_each(twice, pa.array([["a", None], None, []])).to_pylist()
    [['aa', None], None, []]
    """
    results = kernel(*(values.flatten() for values in lists))
    ends = pc.cumulative_sum(pc.fill_null(pc.list_value_length(lists[0]), 0))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends.cast(pa.int32())])
    return pa.ListArray.from_arrays(offsets, results, mask=lists[0].is_null())


def lift_kernels(query: exp.Expr) -> exp.Expr:
    """The tree, changed in place, with the kernels taken out of the lambdas over one list.

    >>> body = _call("lower", _call("spl_urldecode", exp.column("x")))
    >>> over = exp.Lambda(this=body, expressions=[exp.to_identifier("x")])
    >>> lifted = lift_kernels(exp.Transform(this=exp.column("l"), expression=over))
    >>> print(lifted.sql("spark", pretty=True, max_text_width=60).replace("`", ""))
    TRANSFORM(
      ZIP_WITH(
        l,
        SPL_URLDECODE_EACH(TRANSFORM(l, x -> x)),
        (x, _spl_result_0) -> NAMED_STRUCT('value', x, '_spl_result_0', _spl_result_0)
      ),
      x -> LOWER(x._spl_result_0)
    )
    """
    overs = [n for n in query.walk() if isinstance(n, exp.ArrayFilter | exp.Transform)]
    for node in reversed(overs):  # what is inside comes later on the walk
        lifted = _lift(node)
        if node is query:
            query = lifted
        elif lifted is not node:
            node.replace(lifted)
    return query


def _lift(node: exp.ArrayFilter | exp.Transform) -> exp.Expr:
    """The same list without a kernel in its lambda."""
    body = node.expression
    if not isinstance(body, exp.Lambda) or len(body.expressions) != 1:
        return node
    lifting = _Lifting(node.this, body.expressions[0].name)
    inner = lifting.take_calls(body.this)
    if not lifting.results:
        return node
    if isinstance(node, exp.Transform):
        return lifting.map(inner)
    kept = exp.ArrayFilter(**lifting.give(inner))
    return exp.Transform(this=kept, expression=lifting.over(lifting.get_field(_VALUE)))


class _Lifting:
    """The kernels of one lambda. ``results`` are lists as long as ``values``, by the names of the
    columns that stand for the calls."""

    def __init__(self, values: exp.Expr, parameter: str) -> None:
        self._values = values
        self._parameter = parameter
        self.results: dict[str, exp.Expr] = {}

    def take_calls(self, body: exp.Expr) -> exp.Expr:
        """The lambda's body with columns for the calls; equal calls are one."""
        lambda_ = body.parent
        while (call := _find_innermost(body, lambda_)) is not None:
            wanted = call.copy()
            name = f"{_RESULT}{len(self.results)}"
            lists = [self.map(argument) for argument in wanted.expressions]
            self.results[name] = _call(name_for_lists(str(call.this)), *lists)
            body = body.transform(partial(_put, wanted=wanted, name=name))
            lambda_ = None
        return body

    def map(self, inner: exp.Expr) -> exp.Expr:
        """An expression with such columns over each of the values."""
        return exp.Transform(**self.give(inner))

    def give(self, inner: exp.Expr) -> dict[str, exp.Expr]:
        """The arguments of a function over the values that takes the expression as a lambda."""
        names = {c.name for c in inner.find_all(exp.Column) if not c.table}
        needed = [name for name in self.results if name in names]
        source = self._values.copy()
        for number, name in enumerate(needed):
            source = self._zip(source, needed[:number], name)
        if not needed:
            return {"this": source, "expression": self.over(inner)}

        def put(part: exp.Expr) -> exp.Expr:
            if not isinstance(part, exp.Column) or part.table:
                return part
            is_value = part.name == self._parameter
            is_known = is_value or part.name in needed
            return self.get_field(_VALUE if is_value else part.name) if is_known else part

        return {"this": source, "expression": self.over(inner.transform(put))}

    def _zip(self, source: exp.Expr, held: Sequence[str], name: str) -> exp.Expr:
        """A list of structs with one result more."""
        value = exp.column(self._parameter, quoted=True)
        parts: list[exp.Expr] = [literal_text(_VALUE), self.get_field(_VALUE) if held else value]
        for known in held:
            parts += [literal_text(known), self.get_field(known)]
        parts += [literal_text(name), exp.column(name, quoted=True)]
        both = exp.Lambda(
            this=_call("named_struct", *parts),
            expressions=[_identify(self._parameter), _identify(name)],
        )
        return _call("zip_with", source, self.results[name].copy(), both)

    def over(self, inner: exp.Expr) -> exp.Lambda:
        return exp.Lambda(this=inner.copy(), expressions=[_identify(self._parameter)])

    def get_field(self, name: str) -> exp.Expr:
        """A field of the struct that a lambda takes."""
        value = exp.column(self._parameter, quoted=True)
        return exp.Dot(this=value, expression=_identify(name))


def _find_innermost(body: exp.Expr, over: exp.Expr | None) -> exp.Anonymous | None:
    """A call of a kernel with none inside its arguments, and in no lambda but the one of the body;
    the last on the walk is so."""
    calls = [
        c
        for c in body.find_all(exp.Anonymous, bfs=False)
        if str(c.this).lower() in _KERNELS and c.find_ancestor(exp.Lambda) is over
    ]
    return calls[-1] if calls else None


def _put(part: exp.Expr, *, wanted: exp.Expr, name: str) -> exp.Expr:
    return exp.column(name, quoted=True) if part == wanted else part


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _identify(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)
