"""SPL laid out for reading: one command a line, long ones with their clauses below each other."""

from __future__ import annotations

from escudo.spl.ast import Pipeline


def pretty(pipeline: Pipeline) -> str:
    return pipeline.format()
