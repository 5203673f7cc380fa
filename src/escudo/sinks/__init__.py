"""Findings -> where they are wanted: files, a Splunk, syslog, webhooks, chat; for actions."""

from escudo.sinks.sink import Delivery, Failure, Finding, Sink

__all__ = ["Delivery", "Failure", "Finding", "Sink"]
