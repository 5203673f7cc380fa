"""The part of Elasticsearch's API that Winlogbeat and Elastic Agent send events by."""
