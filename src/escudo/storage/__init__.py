"""A folder of files, on this machine or in a bucket, by one face; the lake keeps its files so."""

from __future__ import annotations

from escudo.storage.copies import copy_here
from escudo.storage.folder import Folder
from escudo.storage.opening import find_scheme, is_storage, open_storage
from escudo.storage.reading import find_size, hold_at_most, open_file
from escudo.storage.storage import Storage, Stored

__all__ = [
    "Folder",
    "Storage",
    "Stored",
    "copy_here",
    "find_scheme",
    "find_size",
    "hold_at_most",
    "is_storage",
    "open_file",
    "open_storage",
]
