"""Splunk's REST, the part that its clients use: under ``/services`` and ``/servicesNS``."""
