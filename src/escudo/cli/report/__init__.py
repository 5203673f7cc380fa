"""A hunt's report -> a page to hand over, or Markdown; called by ``escudo hunt``.

A name is loaded when it is asked for: a hunt without a report loads no templates.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
