"""Detections over a lake: run them, test them."""

from escudo.detect.running import Match, run, run_one

__all__ = ["Match", "run", "run_one"]
