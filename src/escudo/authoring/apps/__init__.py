"""Content -> the files of a Splunk app, and its archive."""
