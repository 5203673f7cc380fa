"""SPL: text -> macros -> tree -> relation -> SQLGlot tree. Knows nothing of engines or storage.

Other packages import from here what they use of the language's inside (``__init__.pyi`` lists it),
and the front door: ``compile``, ``parse``, ``macros``, ``constant``. A name is loaded when it is
asked for, so that reading a time does not load all commands.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
