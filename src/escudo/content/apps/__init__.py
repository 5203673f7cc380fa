"""Splunk apps (folders of .conf files, archives) -> content."""
