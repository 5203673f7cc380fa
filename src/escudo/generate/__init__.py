"""A number of events and a seed -> a realistic Windows day with attacks planted in it.

One simulated estate and day, seen by several products: Sysmon and Security events as XML or as
EVTX-dump JSON, Security 4688, CrowdStrike Falcon Data Replicator JSON.
"""
