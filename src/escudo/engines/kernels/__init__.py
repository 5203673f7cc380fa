"""Functions that no SQL dialect has, over Arrow arrays; every engine registers the same ones."""

from __future__ import annotations

from escudo.engines.kernels.documents import DOCUMENTS
from escudo.engines.kernels.fields import FIELDS
from escudo.engines.kernels.formats import FORMATS
from escudo.engines.kernels.kernel import Kernel
from escudo.engines.kernels.patterns import PATTERNS
from escudo.engines.kernels.places import PLACES
from escudo.engines.kernels.times import TIMES
from escudo.engines.kernels.urls import URLS

__all__ = ["KERNELS", "Kernel"]

KERNELS: tuple[Kernel, ...] = (*PATTERNS, *TIMES, *FORMATS, *DOCUMENTS, *FIELDS, *PLACES, *URLS)
"""Every kernel."""
