"""Searches of users: each in a process that can be killed, its rows in files that pages read."""
