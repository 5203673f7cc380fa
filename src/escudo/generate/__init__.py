"""A generator of realistic Windows activity with attacks planted in it.

One simulated estate and day, seen by several products: Sysmon and Security events as XML or as
EVTX-dump JSON, Security 4688, CrowdStrike Falcon Data Replicator JSON.
"""
