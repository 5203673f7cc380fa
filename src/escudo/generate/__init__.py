"""A number of events and a seed -> a realistic day with attacks planted in it.

One simulated estate and day, seen by several products: Sysmon and Security events as XML or as
EVTX-dump JSON, Security 4688, CrowdStrike Falcon Data Replicator JSON. Beside it, ``activity``: a
cloud, a network, web servers and Linux hosts, each with a log of its own.
"""
