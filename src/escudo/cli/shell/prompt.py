"""A terminal -> lines of a shell: history, completion, what is wrong below the line; the only
module that knows ``prompt_toolkit``, imported when a prompt is shown."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from escudo.actions.complete_search import Names
from escudo.cli.shell.checking import Checker
from escudo.cli.shell.completion import propose_input
from escudo.cli.shell.input_text import is_complete
from escudo.cli.terminal import escape_controls
from escudo.core.errors import Diagnostic

_TOLD_LINES = 5


class Prompt:
    """Reads searches from a terminal.

    Args:
        history: the file that keeps what was typed; made if it can be.
        check: what is wrong in a search, asked in another thread.
        gather: the names to propose, gathered in another thread while the first line is typed.
        status: a short line on the shell's settings.
    """

    def __init__(
        self,
        history: Path,
        *,
        check: Callable[[str], tuple[Diagnostic, ...]],
        gather: Callable[[], Names],
        status: Callable[[], str],
    ) -> None:
        self._status = status
        self._completer = _NameCompleter(gather)
        self._session: PromptSession[str] = PromptSession(
            history=_open_history(history),
            completer=self._completer,
            complete_while_typing=False,
            multiline=True,
            key_bindings=_bind_keys(),
            prompt_continuation="   ...> ",
            bottom_toolbar=self._describe,
            enable_open_in_editor=True,
        )
        app = self._session.app
        self._checker = Checker(check, app.invalidate)

    def refresh_names(self) -> None:
        """Gathers the names anew: a search may have been saved or a lookup written."""
        self._completer.refresh()

    def read(self) -> str:
        """The next search or command of the shell.

        Raises:
            KeyboardInterrupt: Ctrl-C, which drops what was typed.
            EOFError: Ctrl-D on an empty line.
        """
        return self._session.prompt("escudo> ")

    def end(self) -> None:
        """Ends the threads."""
        self._checker.end()

    def _describe(self) -> str:
        text = get_app().current_buffer.text
        self._checker.look_at("" if text.startswith(".") else text)
        found = self._checker.found
        if not found:
            return self._status()
        lines = escape_controls(found[0].render()).split("\n")[:_TOLD_LINES]
        return "\n".join(lines)


class _NameCompleter(Completer):
    def __init__(self, gather: Callable[[], Names]) -> None:
        self._gather = gather
        self._names = Names()
        self.refresh()

    def refresh(self) -> None:
        threading.Thread(target=self._take, name="escudo-names", daemon=True).start()

    def _take(self) -> None:
        with suppress(Exception):  # a lake that cannot be looked into proposes nothing
            self._names = self._gather()

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        for proposal in propose_input(document.text_before_cursor, self._names):
            yield Completion(
                escape_controls(proposal.text),
                start_position=-proposal.typed,
                display_meta=escape_controls(proposal.about),
            )


def _bind_keys() -> KeyBindings:
    """Enter runs what is complete and goes on in what is not; Alt-Enter begins a line."""
    keys = KeyBindings()

    @keys.add("enter")
    def accept(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif is_complete(buffer.text) or not buffer.text.strip():
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    @keys.add("escape", "enter")
    def begin_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _open_history(path: Path) -> History:
    """The history in a file that only the user reads; in memory where there can be none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
