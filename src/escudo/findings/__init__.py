"""From matching rows to risk events, findings, drilldowns and the processes around a hit."""

from escudo.findings.judging import Judgement, Schemas, judge_match

__all__ = ["Judgement", "Schemas", "judge_match"]
