"""The commands of SPL, one file each; a row of ``COMMANDS`` for every name that starts one."""

from __future__ import annotations

from collections.abc import Mapping

from escudo.spl.binding.binder import Command
from escudo.spl.commands.accum import Accum
from escudo.spl.commands.addcoltotals import AddColTotals
from escudo.spl.commands.addinfo import AddInfo
from escudo.spl.commands.addtotals import AddTotals
from escudo.spl.commands.anomalydetection import AnomalyDetection
from escudo.spl.commands.append import Append
from escudo.spl.commands.appendcols import AppendCols
from escudo.spl.commands.appendpipe import AppendPipe
from escudo.spl.commands.autoregress import Autoregress
from escudo.spl.commands.bin import Bin
from escudo.spl.commands.chart.chart import Chart
from escudo.spl.commands.chart.timechart import Timechart
from escudo.spl.commands.collect.collect import Collect
from escudo.spl.commands.convert import Convert
from escudo.spl.commands.datamodel import DataModel
from escudo.spl.commands.dedup import Dedup
from escudo.spl.commands.delete import Delete
from escudo.spl.commands.delta import Delta
from escudo.spl.commands.eval import Eval
from escudo.spl.commands.eventcount import EventCount
from escudo.spl.commands.eventstats import EventStats
from escudo.spl.commands.extract import Extract
from escudo.spl.commands.fieldformat import FieldFormat
from escudo.spl.commands.fields import Fields
from escudo.spl.commands.fieldsummary import FieldSummary
from escudo.spl.commands.filldown import Filldown
from escudo.spl.commands.fillnull import Fillnull
from escudo.spl.commands.foreach import Foreach
from escudo.spl.commands.foreign import APPS, Foreign
from escudo.spl.commands.format import Format
from escudo.spl.commands.from_ import From
from escudo.spl.commands.fromjson import Fromjson
from escudo.spl.commands.gentimes import Gentimes
from escudo.spl.commands.head import Head
from escudo.spl.commands.inputlookup import InputLookup
from escudo.spl.commands.iplocation import Iplocation
from escudo.spl.commands.join import Join
from escudo.spl.commands.learning.apply import Apply
from escudo.spl.commands.learning.fit import Fit
from escudo.spl.commands.learning.summary import Summary
from escudo.spl.commands.loadjob import Loadjob
from escudo.spl.commands.lookup import Lookup
from escudo.spl.commands.makecontinuous import MakeContinuous
from escudo.spl.commands.makemv import Makemv
from escudo.spl.commands.makeresults import MakeResults
from escudo.spl.commands.map import Map
from escudo.spl.commands.metadata import Metadata
from escudo.spl.commands.mstats import Mstats
from escudo.spl.commands.multikv import Multikv
from escudo.spl.commands.multisearch import MultiSearch
from escudo.spl.commands.mvcombine import Mvcombine
from escudo.spl.commands.mvexpand import Mvexpand
from escudo.spl.commands.nomv import Nomv
from escudo.spl.commands.outlier import Outlier
from escudo.spl.commands.outputlookup import OutputLookup
from escudo.spl.commands.rangemap import Rangemap
from escudo.spl.commands.rare import Rare
from escudo.spl.commands.regex import Regex
from escudo.spl.commands.reltime import Reltime
from escudo.spl.commands.rename import Rename
from escudo.spl.commands.replace import Replace
from escudo.spl.commands.return_ import Return
from escudo.spl.commands.reverse import Reverse
from escudo.spl.commands.rex import Rex
from escudo.spl.commands.savedsearch import SavedSearch
from escudo.spl.commands.search import Search
from escudo.spl.commands.set import Set
from escudo.spl.commands.sort import Sort
from escudo.spl.commands.spath import Spath
from escudo.spl.commands.stats import Stats
from escudo.spl.commands.strcat import Strcat
from escudo.spl.commands.streamstats import StreamStats
from escudo.spl.commands.table import Table
from escudo.spl.commands.tags import Tags
from escudo.spl.commands.tail import Tail
from escudo.spl.commands.tojson import Tojson
from escudo.spl.commands.top import Top
from escudo.spl.commands.transaction.transaction import Transaction
from escudo.spl.commands.transpose import Transpose
from escudo.spl.commands.trendline import Trendline
from escudo.spl.commands.tstats import Tstats
from escudo.spl.commands.union import Union
from escudo.spl.commands.untable import Untable
from escudo.spl.commands.where import Where
from escudo.spl.commands.xmlkv import Xmlkv
from escudo.spl.commands.xyseries import XySeries

COMMANDS: Mapping[str, type[Command]] = {
    "accum": Accum,
    "addcoltotals": AddColTotals,
    "addinfo": AddInfo,
    "addtotals": AddTotals,
    "anomalydetection": AnomalyDetection,
    "append": Append,
    "appendcols": AppendCols,
    "appendpipe": AppendPipe,
    "apply": Apply,
    "autoregress": Autoregress,
    "bin": Bin,
    "bucket": Bin,
    "chart": Chart,
    "collect": Collect,
    "convert": Convert,
    "datamodel": DataModel,
    "dedup": Dedup,
    "delete": Delete,
    "delta": Delta,
    "discretize": Bin,
    "eval": Eval,
    "eventcount": EventCount,
    "eventstats": EventStats,
    "extract": Extract,
    "fieldformat": FieldFormat,
    "fields": Fields,
    "fieldsummary": FieldSummary,
    "filldown": Filldown,
    "fillnull": Fillnull,
    "fit": Fit,
    "foreach": Foreach,
    "format": Format,
    "from": From,
    "fromjson": Fromjson,
    "gentimes": Gentimes,
    "head": Head,
    "inputlookup": InputLookup,
    "iplocation": Iplocation,
    "join": Join,
    "kv": Extract,
    "loadjob": Loadjob,
    "lookup": Lookup,
    "makecontinuous": MakeContinuous,
    "makemv": Makemv,
    "makeresults": MakeResults,
    "map": Map,
    "metadata": Metadata,
    "mstats": Mstats,
    "multikv": Multikv,
    "multisearch": MultiSearch,
    "mvcombine": Mvcombine,
    "mvexpand": Mvexpand,
    "nomv": Nomv,
    "outlier": Outlier,
    "outputlookup": OutputLookup,
    "rangemap": Rangemap,
    "rare": Rare,
    "regex": Regex,
    "reltime": Reltime,
    "rename": Rename,
    "replace": Replace,
    "return": Return,
    "reverse": Reverse,
    "rex": Rex,
    "savedsearch": SavedSearch,
    "search": Search,
    "set": Set,
    "sort": Sort,
    "spath": Spath,
    "stats": Stats,
    "strcat": Strcat,
    "streamstats": StreamStats,
    "summary": Summary,
    "table": Table,
    "tags": Tags,
    "tail": Tail,
    "timechart": Timechart,
    "tojson": Tojson,
    "top": Top,
    "transaction": Transaction,
    "transpose": Transpose,
    "trendline": Trendline,
    "tstats": Tstats,
    "union": Union,
    "untable": Untable,
    "where": Where,
    "xmlkv": Xmlkv,
    "xyseries": XySeries,
    **dict.fromkeys(APPS, Foreign),
}
"""Name or alias, in lower case -> command."""
