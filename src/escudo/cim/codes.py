"""The error codes of data models and of mappings to them, for ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.core.errors import ErrorCode

CODES: Mapping[str, ErrorCode] = {
    row.code: row
    for row in (
        ErrorCode(
            "CIM001",
            "a data model's definition is wrong",
            "see the file, dataset and field in the message",
        ),
        ErrorCode(
            "CIM010",
            "a source maps events to a dataset that no data model has",
            "`escudo search '| datamodel'` lists the datasets",
        ),
        ErrorCode(
            "CIM011",
            "a source maps a field that the dataset does not have",
            "the CIM manual lists the fields of each dataset; docs/cim.md shows those known here",
        ),
        ErrorCode(
            "CIM012",
            "an expression of a source's mapping cannot be compiled",
            "mappings are SPL eval expressions over the fields of the source",
        ),
        ErrorCode(
            "CIM020",
            "a list of assets or identities that cannot be read",
            "a CSV file in UTF-8 with a header: ip, mac, nt_host or dns of assets, identity of "
            "identities, as Splunk ES has them",
        ),
    )
}
