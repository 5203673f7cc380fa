"""A Chromium, driven through a pipe: pictures of pages for the docs, and what tests ask of a page.

It speaks the DevTools protocol (chromedevtools.github.io/devtools-protocol) over file descriptors 3
and 4, as ``--remote-debugging-pipe`` has it, so it needs no port and no driver.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
)
_SECONDS = 60.0
_SECONDS_TO_END = 10.0


def find_browser() -> str | None:
    """The path of a Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _start(program: str, flags: Iterable[str], commands: int, answers: int) -> int:
    """The id of a process that has two ends of pipes as its descriptors 3 and 4."""
    held = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (commands, answers)]
    nothing = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, nothing, stream) for stream in range(3)]
    actions += [(os.POSIX_SPAWN_DUP2, end, place) for place, end in enumerate(held, 3)]
    process = os.posix_spawn(program, [program, *flags], os.environ, file_actions=actions)
    for end in (*held, commands, answers, nothing):
        os.close(end)
    return process


class Browser:
    """A Chromium with one page. ``requests`` are the addresses that the page asked for, ``errors``
    what it said in its console that is no information."""

    def __init__(self, program: str) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._number = 0
        self._session: str | None = None
        self._loaded = False
        self._buffer = b""
        self._profile = tempfile.TemporaryDirectory(
            prefix="escudo-browser-", ignore_cleanup_errors=True
        )
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        flags = (*_FLAGS, f"--user-data-dir={self._profile.name}")
        self._process = _start(program, flags, commands, answers)
        try:
            self._session = self._attach()
            for domain in ("Page", "Network", "Runtime", "Log"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the browser, by force where it does not end by itself, and removes its profile."""
        os.close(self._out)  # the end of its commands is the end of the browser
        os.close(self._in)
        deadline = time.monotonic() + _SECONDS_TO_END
        while not os.waitpid(self._process, os.WNOHANG)[0]:
            if time.monotonic() > deadline:
                os.kill(self._process, signal.SIGKILL)
                os.waitpid(self._process, 0)
                break
            time.sleep(0.02)
        self._profile.cleanup()

    def _attach(self) -> str:
        """The session of a new page."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session: str = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        return session

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a method of the protocol.

        Raises:
            RuntimeError: what the browser says is wrong.
            TimeoutError: it said nothing for a minute.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        """The next message; what it tells of the page is noted."""
        deadline = time.monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._in, 1 << 16) if ready else b""
            if not piece:
                raise TimeoutError("the browser says nothing")
            self._buffer += piece
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"]["text"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.errors.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.errors.append(json.dumps(params["args"]))

    def open(self, page: Path, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Loads a page from its file, in a window of so many pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded = False
        self.call("Page.navigate", url=page.resolve().as_uri())
        while not self._loaded:
            self._read()

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def take_picture(self, selector: str | None = None) -> bytes:
        """The window as PNG; with a selector it begins at that element."""
        if selector is not None:
            self.evaluate(f"document.querySelector({json.dumps(selector)}).scrollIntoView()")
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def print_page(self) -> bytes:
        """The page as PDF, as it is printed."""
        return base64.b64decode(
            self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)["data"]
        )
