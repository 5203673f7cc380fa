"""A line -> a search or a command of the shell, with what a terminal needs to write one; called by
``escudo shell``."""
