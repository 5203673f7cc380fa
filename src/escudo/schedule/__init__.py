"""Content, a lake, a clock -> each search run once over each of its windows; ``actions`` call it.

What has run, what is due and what was missed is kept in a database, which several workers share.
"""
