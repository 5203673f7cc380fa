"""Escudo's own sources, loaded once for all tests that read logs."""

from __future__ import annotations

from escudo.sources import load_families

FAMILIES = load_families()
