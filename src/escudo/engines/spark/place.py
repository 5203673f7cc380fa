"""Where Spark runs: a master, and properties -> what a session is opened with; imports nothing of
Spark. Commands and ``session`` ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from escudo.core.errors import EscudoError, Span

LOCAL = "local[2]"
"""The master where none is named: two threads of this process."""
_MASTER = re.compile(
    r"local(\[(\*|\d+)(,\s*\d+)?\])?|local-cluster\[\d+,\s*\d+,\s*\d+\]|yarn|"
    r"(spark|k8s)://\S+|sc://\S+"
)
_PROPERTY = re.compile(r"([^\s=:]+)(?:\s*[=:]\s*|\s+)?(.*)")
_PLACES = ("spark.remote", "spark.master")
"""Properties that name a master."""


READ_HERE = "spark.escudo.readHere"
"""The property that says up to how many bytes of columns a search is run in the driver's own
process, without a job."""
_MOST_HERE = "1g"
_BYTES = re.compile(r"(\d+)([kmgt]?)b?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SparkPlace:
    """A master as ``spark-submit`` takes it, or ``sc://host:port`` for Spark Connect, and the
    properties of the session.

    >>> SparkPlace("sc://spark.example.org:15002").is_remote, SparkPlace("local[4]").is_local
    (True, True)
    """

    master: str = LOCAL
    properties: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def find(cls, master: str | None, properties: Path | None) -> Self:
        """What options say: ``master`` goes before the master of the file of properties.

        Raises:
            EscudoError: ENG010 for what is no master, ENG011 for a file of properties that cannot
                be read, with its line.
        """
        read = {} if properties is None else read_properties(properties)
        named = next((read[name] for name in _PLACES if name in read), LOCAL)
        own = {name: value for name, value in read.items() if name not in _PLACES}
        return cls(check_master(master or named), own)

    @property
    def is_remote(self) -> bool:
        """Whether the driver is another process, asked by Spark Connect."""
        return self.master.startswith("sc://")

    @property
    def most_here(self) -> int:
        """How many bytes of columns a search reads at most that is run in the driver's own process.

        Raises:
            EscudoError: ENG011 for a property that is no number of bytes.

        >>> SparkPlace().most_here, SparkPlace(properties={READ_HERE: "0"}).most_here
        (1073741824, 0)
        """
        text = self.properties.get(READ_HERE, _MOST_HERE)
        parsed = _BYTES.fullmatch(text)
        if parsed is None:
            raise EscudoError(
                "ENG011", f"{READ_HERE} {text!r} is no number of bytes", hint="such as 512m, or 0"
            )
        return int(parsed[1]) << 10 * " kmgt".index(parsed[2].lower() or " ")

    @property
    def is_local(self) -> bool:
        """Whether all of Spark is in this process, and its workers are this machine's Python."""
        return self.master == "local" or self.master.startswith("local[")


def check_master(text: str) -> str:
    """The text, if it is a master.

    Raises:
        EscudoError: ENG010 if not.

    >>> check_master("spark://host:7077")
    'spark://host:7077'
    """
    if _MASTER.fullmatch(text) is None:
        raise EscudoError(
            "ENG010",
            f"{text!r} is no master of Spark",
            hint="local[4], spark://host:7077, yarn, k8s://https://host:443, or "
            "sc://host:15002 for Spark Connect",
        )
    return text


def read_properties(file: Path) -> dict[str, str]:
    """The properties of a file as ``spark-submit --properties-file`` reads it: a name and a value a
    line, with blanks, ``=`` or ``:`` between; ``#`` begins a comment.

    Raises:
        EscudoError: ENG011 for a file that cannot be read, or a property that is none of Spark's,
            which Spark would pass over.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "spark.conf")
    ...     _ = file.write_text("# ours\\nspark.executor.memory  4g\\nspark.cores.max=8\\n")
    ...     read_properties(file)
    {'spark.executor.memory': '4g', 'spark.cores.max': '8'}
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise EscudoError("ENG011", f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise EscudoError("ENG011", f"{file} is not UTF-8 text") from error
    properties: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text[0] in "#!":
            continue
        parsed = _PROPERTY.fullmatch(text)
        name = "" if parsed is None else parsed[1]
        if parsed is None or not name.startswith("spark."):
            raise EscudoError(
                "ENG011",
                f"{name or text!r} is no property of Spark",
                span=Span(str(file), number, 1, number, len(line) + 1),
                hint="their names begin with `spark.`",
            )
        properties[name] = parsed[2].strip()
    return properties
