"""What DuckDB raises -> a coded error that tells the cause in our words; for the engine and the
lake.

DuckDB's own text speaks of its insides (statements, settings, classes) and is not passed on, but
for the first line where only it says what is wrong.
"""

from __future__ import annotations

import re

import duckdb
import pyarrow as pa

from escudo.core.errors import EscudoError

_FILE = re.compile(r"file ['\"]([^'\"]+)['\"]|'([^']+\.parquet)'")
_CODED = re.compile(r"error\[([A-Z]{3}\d{3})\]: ([^\n]*)")
_GONE = re.compile(r"FileNotFoundError: (\S+)")
_STOPPED = re.compile(r"UDF: (?:Stopped|KeyboardInterrupt)\b")
_FULL = ("no space left", "disk quota", "failed to offload")
_DAMAGED = (
    *("parquet", "thrift", "zstd", "snappy", "decompress", "corrupt", "invalid string encoding"),
    *("magic bytes", "tprotocol", "page header", "checksum", "utf-8", "utf8", "unicode"),
)


def explain_error(error: duckdb.Error | pa.ArrowException) -> EscudoError:
    """The coded error: ENG004 damaged data, ENG005 no memory, ENG006 no room on the disk, else
    ENG001.

    >>> explain_error(duckdb.OutOfMemoryException("Out of Memory Error: failed to pin")).code
    'ENG005'
    """
    text = str(error)
    low = text.lower()
    if coded := _CODED.search(text):  # a function of ours says what is wrong
        return EscudoError(coded[1], coded[2])
    if gone := _GONE.search(text):  # of a storage elsewhere
        return EscudoError("STO005", f"{gone[1]} is missing")
    if "timeouterror" in low and "regex" in low:
        return EscudoError("ENG007", "a regular expression took more than a second for one value")
    if "max expression depth" in low:
        return EscudoError("SPL115", "the search is nested too deeply")
    if any(word in low for word in _FULL):
        return EscudoError("ENG006", "no room for the temporary files of a query")
    if isinstance(error, duckdb.OutOfMemoryException) or "out of memory" in low:
        return EscudoError("ENG005", "the query takes more memory than the engine may use")
    if "interrupted" in low or _STOPPED.search(text):  # by a signal, in a function of ours maybe
        raise KeyboardInterrupt from error
    if not isinstance(error, duckdb.BinderException | duckdb.ParserException) and (
        isinstance(error, duckdb.IOException | duckdb.SerializationException)
        or any(word in low for word in _DAMAGED)
    ):
        named = _FILE.search(text)
        file = next((g for g in named.groups() if g), None) if named else None
        return EscudoError("ENG004", f"{file or 'a data file'} cannot be read")
    first = text.strip().partition("\n")[0]
    return EscudoError("ENG001", re.sub(r"^[A-Z][A-Za-z -]* Error: ", "", first))
