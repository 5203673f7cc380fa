"""Use cases: what the command line, a server or a scheduler does with content and a lake.

Each is one call with plain arguments, which gives dataclasses or iterators. Nothing here prints,
ends the process or keeps a state; what follows a long one is a callback.
"""
