"""A YAML file of cases -> what it holds; by libyaml, for it is read at each collection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def read_yaml(path: Path) -> Any:
    """What a file in UTF-8 holds."""
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
