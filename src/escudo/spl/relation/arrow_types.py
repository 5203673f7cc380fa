"""Field types <-> Arrow types: how the fields of a search lie in an Arrow table."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from escudo.core.schema import FieldType

ARROW_TYPES: Mapping[FieldType, pa.DataType] = {
    FieldType.STRING: pa.string(),
    FieldType.NUMBER: pa.float64(),
    FieldType.INTEGER: pa.int64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.TIME: pa.float64(),
    FieldType.MULTIVALUE: pa.list_(pa.string()),
}
"""Arrow types of fields inside a search (a time is epoch seconds there)."""


def field_type(kind: pa.DataType) -> FieldType:
    """The SPL type of an Arrow column."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return FieldType.MULTIVALUE
    if pa.types.is_integer(kind):
        return FieldType.INTEGER
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return FieldType.NUMBER
    if pa.types.is_boolean(kind):
        return FieldType.BOOLEAN
    return FieldType.STRING
