"""Findings -> messages in chats, mails and many other services, by apprise; ``opening`` makes this
sink."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

from escudo.core.errors import EscudoError
from escudo.sinks.retrying import Patience, TryAgainError
from escudo.sinks.sink import Delivery, Failure, Finding

TOGETHER = 10
"""Findings of a message, at most: a chat is for people."""

_KINDS = {"critical": "failure", "high": "failure", "medium": "warning"}


@dataclass(kw_only=True)
class ChatSink:
    """A service that apprise knows. Many findings are told in few messages."""

    name: str
    service: Any
    patience: Patience = field(default_factory=Patience)

    def send(self, findings: Sequence[Finding]) -> Delivery:
        sent = 0
        failures: list[Failure] = []
        for some in _group(findings):
            try:
                self.patience.try_until(partial(self._notify, some))
                sent += len(some)
            except TryAgainError as error:
                failures.append(Failure(tuple(some), str(error)))
        return Delivery(sent, tuple(failures))

    def close(self) -> None:
        pass

    def _notify(self, findings: Sequence[Finding]) -> None:
        worst = str(findings[0].get("severity"))
        title = str(findings[0]["detection"])
        if len(findings) > 1:
            title = f"{title}: {len(findings):,} findings"
        taken = self.service.notify(
            title=title,
            body="\n".join(map(_describe, findings)),
            notify_type=_KINDS.get(worst, "info"),
            body_format="text",
            interpret_escapes=False,
        )
        if not taken:
            raise TryAgainError("the service did not take the message")


def open_service(url: str) -> Any:
    """Apprise with one service: SNK004 where it is not installed, SNK001 for a URL that it does
    not know."""
    try:
        apprise = import_module("apprise")
    except ImportError as error:
        raise EscudoError("SNK004", "apprise is not installed") from error
    service = apprise.Apprise()
    if not service.add(url):
        kind = url.partition("://")[0]
        raise EscudoError("SNK001", f"apprise knows no service {kind}:// of that form")
    return service


def _group(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Findings of one detection together."""
    by_detection: dict[str, list[Finding]] = {}
    for finding in findings:
        by_detection.setdefault(str(finding["detection"]), []).append(finding)
    for some in by_detection.values():
        for start in range(0, len(some), TOGETHER):
            yield some[start : start + TOGETHER]


def _describe(finding: Finding) -> str:
    """A finding in a line of text."""
    where = " ".join(f"{k}={finding[k]}" for k in ("host", "user") if finding.get(k))
    parts = (finding.get("severity"), finding.get("_time"), where, finding.get("message"))
    return " ".join(" ".join(str(part).split()) for part in parts if part)
