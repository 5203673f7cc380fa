"""Detections to turn on and off -> a file of a pack's overlay, which an update leaves alone;
``actions.content_packs`` calls it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from escudo.content import Detection
from escudo.core.errors import EscudoError
from escudo.core.whole_file import write_whole

SWITCHES = "enabled.yml"
_HEAD = "# Written by `escudo content enable` and `escudo content disable`.\n"


def switch(overlay: Path, detections: Iterable[Detection], *, on: bool) -> None:
    """Turns detections on or off, in addition to what was turned before.

    They are named by their ids, which a new name of upstream's leaves as they are.

    Raises:
        EscudoError: CON231 where the file is not as it was written, SYS002.
    """
    file = overlay / SWITCHES
    switches = _read(file)
    switches.update((d.id, (d.name, on)) for d in detections)
    lines = [_HEAD, "changes:\n"]
    for identity, (name, enabled) in sorted(switches.items(), key=lambda item: item[1][0]):
        shown = " ".join(name.split())
        lines.append(f"- change: {identity}  # {shown}\n")
        lines.append(f"  enabled: {'true' if enabled else 'false'}\n")
    try:
        overlay.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EscudoError("SYS002", f"{overlay} cannot be made: {error.strerror}") from error
    with write_whole(file) as stream:
        stream.write("".join(lines).encode())


def _read(file: Path) -> dict[str, tuple[str, bool]]:
    """By id: the name that stands beside it, and whether it is on."""
    if not file.is_file():
        return {}
    text = file.read_text("utf-8", "replace")
    names = dict(
        line.removeprefix("- change: ").partition("  # ")[::2]
        for line in text.splitlines()
        if line.startswith("- change: ")
    )
    try:
        listed = yaml.safe_load(text)["changes"]
        return {
            str(item["change"]): (names.get(str(item["change"]), ""), bool(item["enabled"]))
            for item in listed
        }
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise EscudoError("CON231", f"{file} is not as it was written: {error}") from error
