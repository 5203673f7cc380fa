"""Text logs: what a source's YAML says of them (``text_form``), and columns made by it.

``reading`` and ``texts`` call ``reader`` and ``extraction``; nothing here knows of families.
"""
