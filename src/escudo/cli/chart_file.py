"""A chart -> a picture (PNG, SVG) or a page (HTML) that needs nothing else; called by ``escudo
search --output`` and the shell.

The drawing is Vega-Lite's, by ``vl-convert``, which is in the extra ``charts``: it draws without a
browser and asks nothing of a network.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, tzinfo
from html import escape
from importlib import import_module
from typing import Any

from escudo.actions.charts import Chart
from escudo.cli.terminal import escape_line
from escudo.core.errors import EscudoError
from escudo.core.timerange import iso_zoned

CHART_SUFFIXES = (".png", ".svg", ".html")
_WIDTH, _HEIGHT = 900, 360
"""Pixels of the drawing, without axes and legend; a PNG has twice as many."""
_BAR = 22
"""Pixels of a bar with the space below it."""
_SCALE = 2
_MARK = re.compile(
    r"<path((?=[^>]*role=\"graphics-symbol\") aria-label=\"([^\"]*)\"[^>]*?)(?:/>|></path>)"
)
"""A bar or a point, which says for readers of screens what it stands for."""
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ margin: 1rem; background: white; font-family: sans-serif }}
svg {{ max-width: 100%; height: auto }} path:hover {{ opacity: 0.7 }}</style>
</head><body>
{drawing}
</body></html>
"""


def render_chart(chart: Chart, suffix: str, title: str, zone: tzinfo) -> bytes:
    """The file's content; ``suffix`` is one of ``CHART_SUFFIXES``.

    Raises:
        EscudoError: CLI021 where the extra ``charts`` is not installed.
    """
    try:
        library = import_module("vl_convert")
    except ImportError:
        raise EscudoError(
            "CLI021",
            "charts in files need a library that is not installed",
            hint="pip install 'escudo[charts]'; --chart draws in the terminal without it",
        ) from None
    spec = json.dumps(describe_chart(chart, title, zone))
    if suffix == ".png":
        return bytes(library.vegalite_to_png(spec, scale=_SCALE))
    svg = str(library.vegalite_to_svg(spec))
    return (svg if suffix == ".svg" else _write_page(svg, title)).encode()


def _write_page(svg: str, title: str) -> str:
    """A page with the drawing: no script, no request to anywhere; what a mark stands for is shown
    when the pointer is on it."""
    drawing = _MARK.sub(r"<path\1><title>\2</title></path>", svg)
    return _PAGE.format(title=escape(_cut_title(title)), drawing=drawing)


def describe_chart(chart: Chart, title: str, zone: tzinfo) -> dict[str, Any]:
    """The chart as a Vega-Lite specification, with its values in it."""
    values = [
        {
            "x": _write_point(point, chart, zone),
            "told": _describe_mark(chart, point, name, value, zone),
            "series": escape_line(name),
            "y": value,
        }
        for name, numbers in chart.series
        for point, value in zip(chart.points, numbers, strict=True)
        if value is not None
    ]
    several = len(chart.series) > 1
    measure = "" if several else escape_line(chart.series[0][0])
    number = {"field": "y", "type": "quantitative", "title": measure}
    encoding: dict[str, Any] = {"description": {"field": "told"}}
    order = [escape_line(name) for name, _ in chart.series]
    if several:
        encoding["color"] = {
            "field": "series",
            "title": None,
            "sort": order,
            "scale": {"scheme": "tableau10" if len(order) <= 10 else "tableau20"},
            "legend": {"labelLimit": 320},
        }
    if chart.over_time:
        name = "time (UTC)" if zone is UTC else f"time ({zone})"
        # Times are those of their zone, written as UTC: so nothing moves them to another one.
        scale = {"type": "temporal", "scale": {"type": "utc"}}
        axis = {
            "format": _choose_format(chart.points[-1] - chart.points[0]),
            "tickCount": 10,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
        }
        encoding |= {"x": {"field": "x", **scale, "title": name, "axis": axis}, "y": number}
        mark: dict[str, Any] = {
            "type": "line",
            "strokeJoin": "round",
            "point": len(chart.points) <= 200,
        }
        size: dict[str, Any] = {"width": _WIDTH, "height": _HEIGHT}
    else:
        names = {"field": "x", "type": "nominal", "title": escape_line(chart.axis)}
        labels = {"axis": {"labelLimit": 320}, "sort": [escape_line(p) for p in chart.points]}
        ticks = {"axis": {"tickCount": 8, "labelOverlap": "greedy", "labelSeparation": 8}}
        encoding |= {"y": {**names, **labels}, "x": {**number, **ticks}}
        mark = {"type": "bar"}
        size = {"width": _WIDTH, "height": {"step": _BAR}}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": _cut_title(title), "anchor": "start"},
        "background": "white",
        "padding": 12,
        "data": {"values": values},
        "mark": mark,
        "encoding": encoding,
        **size,
    }


def _choose_format(seconds: float) -> str:
    """How times are written along an axis of some length.

    >>> _choose_format(86400.0 * 800), _choose_format(3600.0)
    ('%Y-%m', '%m-%d %H:%M')
    """
    days = seconds / 86400
    return "%Y-%m" if days > 700 else "%Y-%m-%d" if days > 4 else "%m-%d %H:%M"


def _describe_mark(chart: Chart, point: Any, series: str, value: float, zone: tzinfo) -> str:
    place = iso_zoned(point, zone) if chart.over_time else escape_line(str(point))
    return f"{place}: {escape_line(series)} {value:,.10g}"


def _write_point(point: Any, chart: Chart, zone: tzinfo) -> str:
    if not chart.over_time:
        return escape_line(str(point))
    return f"{datetime.fromtimestamp(point, zone):%Y-%m-%dT%H:%M:%S.%f}Z"


def _cut_title(text: str) -> str:
    line = " ".join(escape_line(text.strip().replace("\n", " ")).split())
    return line if len(line) <= 120 else line[:119] + "…"
