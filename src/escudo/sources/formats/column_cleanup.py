"""Columns as a format gives them -> columns without empty values, doubled names, bare GUIDs.

The readers of XML, EVTX and JSON call it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.xml_element import DECIDING

K = TypeVar("K")

_GUID_LENGTH = 36
_GUID_DASHES = (8, 13, 18, 23)
_GUID_PLACES = np.array([n in _GUID_DASHES for n in range(_GUID_LENGTH)], dtype=np.intp)
_GUID_BYTES = np.zeros((256, 2), dtype=bool)
"""Whether a byte may stand where no dash is, and where one is."""
_GUID_BYTES[list(b"0123456789ABCDEFabcdef"), 0] = True
_GUID_BYTES[ord("-"), 1] = True
_NOTHING = pa.scalar(None, pa.string())


def drop_empty(columns: Mapping[K, pa.Array]) -> dict[K, pa.Array]:
    """Empty text and empty lists are no values; a column without a value is no column.

    >>> drop_empty({"a": pa.array(["", "x"]), "b": pa.array([""])})["a"].to_pylist()
    [None, 'x']
    """
    out: dict[K, pa.Array] = {}
    for name, values in columns.items():
        kept = _nulled(values)
        if kept.null_count < len(kept):
            out[name] = kept
    return out


def _lengths(values: pa.Array) -> npt.NDArray[np.int32]:
    """How long each text, in bytes, or list is; a null is mostly 0 long."""
    offsets = np.frombuffer(values.buffers()[1], np.int32)[values.offset :]
    return offsets[1 : len(values) + 1] - offsets[: len(values)]


def _nulled(values: pa.Array) -> pa.Array:
    lengths = _lengths(values)
    if int(np.count_nonzero(lengths == 0)) <= values.null_count:
        return values
    return pc.if_else(pa.array(lengths > 0), values, pa.scalar(None, values.type))


def merge_fields(
    system: Sequence[tuple[str, pa.Array]], own: Sequence[tuple[str, pa.Array]]
) -> dict[str, pa.Array]:
    """System fields and the event's own; of the same name the own wins, row by row.

    An own field with a ``DECIDING`` name of System is ``EventData.<name>``, as in event XML.

    >>> system, own = pa.array(["4", "5"]), pa.array(["9", None])
    >>> out = merge_fields([("ProcessID", system)], [("ProcessID", own)])
    >>> out["ProcessID"].to_pylist(), out["System.ProcessID"].to_pylist()
    (['9', '5'], ['4', None])
    """
    out: dict[str, pa.Array] = {}
    for name, values in system:
        out[name] = values if name not in out else pc.coalesce(out[name], values)
    theirs: dict[str, pa.Array] = {}
    for given, values in own:
        name = f"EventData.{given}" if given.removesuffix("{}") in DECIDING else given
        theirs[name] = values if name not in theirs else _coalesced(theirs[name], values)
    for name, values in theirs.items():
        if name in out:
            there = pc.is_valid(values)
            if pc.any(there).as_py():
                out[f"System.{name}"] = pc.if_else(there, out[name], _NOTHING)
            out[name] = _coalesced(values, out[name])
        else:
            out[name] = values
    return out


def _coalesced(first: pa.Array, second: pa.Array) -> pa.Array:
    if first.type != second.type:
        first, second = wrap_in_lists(first), wrap_in_lists(second)
    return pc.coalesce(first, second)


def wrap_in_lists(values: pa.Array) -> pa.Array:
    """Each value as a list of one."""
    if pa.types.is_list(values.type):
        return values
    valid = pc.is_valid(values).to_numpy(zero_copy_only=False)
    offsets = np.concatenate(([0], np.cumsum(valid))).astype(np.int32)
    mask = None if valid.all() else pa.array(~valid)
    return pa.ListArray.from_arrays(pa.array(offsets), values.drop_null(), mask=mask)


def add_braces(columns: Mapping[str, pa.Array | str]) -> dict[str, pa.Array | str]:
    """GUIDs as Windows writes them; the ``evtx`` library leaves out the braces.

    >>> add_braces({"Guid": "5770385F-C22A-43E0-BF4C-06F5698FFBD9"})
    {'Guid': '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}'}
    """
    return {name: _braced(values) for name, values in columns.items()}


def _braced(values: pa.Array | str) -> pa.Array | str:
    if isinstance(values, str):
        return f"{{{values}}}" if _are_guids(pa.array([values])).all() else values
    if not pa.types.is_string(values.type):
        return values
    guid = _are_guids(values)
    if not guid.any():
        return values
    with_braces = pc.binary_join_element_wise("{", values, "}", "")
    return with_braces if guid.all() else pc.if_else(pa.array(guid), with_braces, values)


def _are_guids(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Which texts are GUIDs without braces, by their bytes: all that are so long in one array.

    >>> _are_guids(pa.array(["5770385F-C22A-43E0-BF4C-06F5698FFBD9", None, "x", "-" * 36])).tolist()
    [True, False, False, False]
    """
    are_guids: npt.NDArray[np.bool_] = _lengths(values) == _GUID_LENGTH
    if values.null_count:
        are_guids &= values.is_valid().to_numpy(zero_copy_only=False)
    if not are_guids.any():
        return are_guids
    long = values if are_guids.all() else values.filter(pa.array(are_guids))
    first = int(np.frombuffer(long.buffers()[1], np.int32)[long.offset])
    text = np.frombuffer(long.buffers()[2], np.uint8, len(long) * _GUID_LENGTH, first)
    are_guids[are_guids] = _GUID_BYTES[text.reshape(-1, _GUID_LENGTH), _GUID_PLACES].all(axis=1)
    return are_guids
