"""Speed, side by side with the fastest library path that does the same.

``python -m benchmarks [NAME...]`` runs each variant in a process of its own, in interleaved rounds,
and writes medians, ratios and peak memory into ``README.md``. Names: see ``--help``.
"""
