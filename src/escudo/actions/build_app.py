"""Content -> a Splunk app's archive; called by ``escudo build``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from escudo import content as contents
from escudo.authoring.apps.identity import read_identity
from escudo.authoring.apps.package import App, build_app, pack_app
from escudo.core.errors import EscudoError, Severity
from escudo.core.whole_file import write_whole


@dataclass(frozen=True, slots=True)
class BuiltApp:
    """An app, its archive, and the archive's SHA-256."""

    app: App
    archive: Path
    sha256: str


def make_app(
    paths: Sequence[Path],
    *,
    overlay: Path | None,
    given: Mapping[str, str],
    output: Path,
    enabled: bool,
    unpacked: bool,
) -> BuiltApp:
    """Builds the app of some content into a folder, as ``APPID-VERSION.tgz``.

    Args:
        paths: content; the first one's ``contentctl.yml`` says how the app is called.
        overlay: local changes, which the app has then.
        given: what goes before ``contentctl.yml``, by its keys.
        output: the folder.
        enabled: detections run once the app is installed.
        unpacked: the app's folder as well, which must not be there.

    Raises:
        EscudoError: AUT010 to AUT012; AUT011 where a file of the content cannot be loaded, so that
            no app lacks it in silence; AUT002; SYS002.
    """
    identity = read_identity(paths[0], given)
    content = contents.load(paths, overlay=overlay)
    if content.failed_files:
        wrong = next(d for d in content.diagnostics if d.severity is Severity.ERROR)
        raise EscudoError(
            "AUT011",
            f"{content.failed_files} files cannot be loaded; the first: {wrong.message}",
            span=wrong.span,
            hint="escudo validate shows all",
        )
    app = build_app(content, identity, enabled=enabled)
    packed = pack_app(app)
    archive = output / f"{identity.appid}-{identity.version}.tgz"
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EscudoError("SYS002", f"{output} cannot be made: {error.strerror}") from error
    if unpacked:
        _write_folder(output / identity.appid, app.files)
    with write_whole(archive) as stream:
        stream.write(packed)
    return BuiltApp(app, archive, hashlib.sha256(packed).hexdigest())


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        folder.mkdir()
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except FileExistsError as error:
        raise EscudoError("AUT002", f"{folder} is there already") from error
    except OSError as error:
        raise EscudoError("SYS002", f"{folder} cannot be written: {error.strerror}") from error
