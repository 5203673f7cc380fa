"""Splunk's HTTP Event Collector (HEC): requests of shippers -> events for the receiver."""
