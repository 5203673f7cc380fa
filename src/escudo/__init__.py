"""Escudo: runs Splunk's detection content without Splunk."""

__version__ = "0.1.0"
