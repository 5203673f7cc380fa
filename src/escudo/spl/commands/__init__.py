"""The commands of SPL, one file each; a row of ``COMMANDS`` for every name that starts one."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.spl.ast import Command
from escudo.spl.commands.bin import Bin
from escudo.spl.commands.convert import Convert
from escudo.spl.commands.dedup import Dedup
from escudo.spl.commands.eval import Eval
from escudo.spl.commands.eventstats import EventStats
from escudo.spl.commands.fields import Fields
from escudo.spl.commands.fillnull import Fillnull
from escudo.spl.commands.from_ import From
from escudo.spl.commands.head import Head
from escudo.spl.commands.lookup import Lookup
from escudo.spl.commands.rename import Rename
from escudo.spl.commands.rex import Rex
from escudo.spl.commands.search import Search
from escudo.spl.commands.sort import Sort
from escudo.spl.commands.stats import Stats
from escudo.spl.commands.table import Table
from escudo.spl.commands.tstats import Tstats
from escudo.spl.commands.where import Where

COMMANDS: Mapping[str, type[Command]] = {
    "bin": Bin,
    "bucket": Bin,
    "convert": Convert,
    "dedup": Dedup,
    "discretize": Bin,
    "eval": Eval,
    "eventstats": EventStats,
    "fields": Fields,
    "fillnull": Fillnull,
    "from": From,
    "head": Head,
    "lookup": Lookup,
    "rename": Rename,
    "rex": Rex,
    "search": Search,
    "sort": Sort,
    "stats": Stats,
    "table": Table,
    "tstats": Tstats,
    "where": Where,
}
"""Name or alias, in lower case -> command."""
