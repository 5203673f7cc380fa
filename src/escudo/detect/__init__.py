"""Detections over a lake: run them, test them."""

from escudo.detect.running import Match, run_detection, run_detections

__all__ = ["Match", "run_detection", "run_detections"]
