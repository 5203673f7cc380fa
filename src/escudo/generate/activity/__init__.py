"""Logs of clouds, networks, web servers and Linux: a script of tables -> a day with attacks in it.

A script is one YAML file of ``generate/tables/activity``. It says what the format's events look
like, who makes them, how often, at which hours, and which attacks are planted.
"""
