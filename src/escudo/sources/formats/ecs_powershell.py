"""PowerShell's events whose texts Elastic's modules took apart -> those texts; ``ecs`` calls it.

The events 4103, 400, 403, 600 and 800 hold lines of names and values in one text each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from escudo.sources.formats.json_leaves import Path, Paths

_MODULES = ("Microsoft-Windows-PowerShell", "PowerShellCore")
_CLASSIC = "PowerShell"
_CONTEXT: Mapping[str, str] = {
    "process.title": "Host Name",
    "powershell.process.executable_version": "Host Version",
    "process.entity_id": "Host ID",
    "process.command_line": "Host Application",
    "powershell.engine.version": "Engine Version",
    "powershell.runspace_id": "Runspace ID",
    "powershell.pipeline_id": "Pipeline ID",
    "powershell.command.name": "Command Name",
    "powershell.command.type": "Command Type",
    "file.path": "Script Name",
    "powershell.command.path": "Command Path",
    "event.sequence": "Sequence Number",
    "user": "User",
    "powershell.id": "Shell ID",
}
_FIRST: Mapping[str, tuple[str, ...]] = {
    "400": ("powershell.engine.new_state", "powershell.engine.previous_state"),
    "403": ("powershell.engine.new_state", "powershell.engine.previous_state"),
    "600": ("powershell.provider.name", "powershell.provider.new_state"),
    "800": ("powershell.command.value",),
}
"""The unnamed values of the classic events before the text of names and values."""
_DETAILS: Mapping[str, str] = {
    "powershell.provider.name": "ProviderName",
    "powershell.provider.new_state": "NewProviderState",
    "powershell.engine.new_state": "NewEngineState",
    "powershell.engine.previous_state": "PreviousEngineState",
    "powershell.sequence": "DetailSequence",
    "powershell.total": "DetailTotal",
    "event.sequence": "SequenceNumber",
    "user": "UserId",
    "process.title": "HostName",
    "powershell.process.executable_version": "HostVersion",
    "process.entity_id": "HostId",
    "process.command_line": "HostApplication",
    "powershell.engine.version": "EngineVersion",
    "powershell.runspace_id": "RunspaceId",
    "powershell.pipeline_id": "PipelineId",
    "powershell.command.name": "CommandName",
    "powershell.command.type": "CommandType",
    "file.path": "ScriptName",
    "powershell.command.path": "CommandPath",
    "powershell.command.value": "CommandLine",
}
_INVOCATIONS = ("powershell", "command", "invocation_details{}")


def powershell_texts(
    paths: Paths, event_id: pa.Array, provider: pa.Array
) -> Iterator[tuple[str, pa.Array]]:
    """ContextInfo and Payload of 4103, Data of the classic events, where they are taken apart.

    >>> paths = {("powershell", "command", "name"): pa.array(["ls"])}
    >>> ids, names = pa.array(["4103"]), pa.array(["Microsoft-Windows-PowerShell"])
    >>> [(name, values.to_pylist()) for name, values in powershell_texts(paths, ids, names)]
    [('ContextInfo', ['        Command Name = ls'])]
    """
    wanted = pc.is_in(provider, pa.array([*_MODULES, _CLASSIC]))
    if not pc.any(wanted).as_py():
        return
    size = len(provider)
    contexts: list[str | None] = [None] * size
    payloads: list[str | None] = [None] * size
    data: list[list[str] | None] = [None] * size
    names, ids = provider.to_pylist(), event_id.to_pylist()
    for row, wants in enumerate(wanted.to_pylist()):
        event = str(ids[row])
        if not wants or event not in ("4103", *_FIRST):
            continue
        fields = _fields(paths, row)
        if names[row] != _CLASSIC and event == "4103":
            contexts[row] = _join(fields, _CONTEXT, "        {} = {}", "\n")
            payloads[row] = _payload(paths, row)
        elif names[row] == _CLASSIC and event in _FIRST:
            details = _join(fields, _DETAILS, "\t{}={}", "\n\n")
            texts = [*(fields.get(n) for n in _FIRST[event]), details]
            if event == "800":
                texts.append(_payload(paths, row))
            data[row] = [text for text in texts if text] or None
    for name, values in (("ContextInfo", contexts), ("Payload", payloads)):
        if ("winlog", "event_data", name) not in paths and any(values):
            yield name, pa.array(values, pa.string())
    if ("winlog", "event_data", "param1") not in paths and any(data):
        yield "Data", pa.array(data, pa.list_(pa.string()))


def _fields(paths: Paths, row: int) -> dict[str, str]:
    out: dict[str, str] = {}
    for name in {*_CONTEXT, *_DETAILS}:
        values = paths.get(tuple(name.split(".")))
        if values is not None and pa.types.is_string(values.type) and values[row].is_valid:
            out[name] = values[row].as_py()
    domain, user = (paths.get(("user", part)) for part in ("domain", "name"))
    if domain is not None and user is not None and domain[row].is_valid and user[row].is_valid:
        out["user"] = f"{domain[row].as_py()}\\{user[row].as_py()}"
    return out


def _join(
    fields: Mapping[str, str], names: Mapping[str, str], form: str, between: str
) -> str | None:
    lines = [form.format(own, fields[name]) for name, own in names.items() if name in fields]
    return between.join(lines) or None


def _payload(paths: Paths, row: int) -> str | None:
    """The lines of a command's invocation; None if they cannot be told apart."""
    kinds, commands, values, bound = (
        _list(paths, (*_INVOCATIONS, part), row)
        for part in ("type", "related_command", "value", "name")
    )
    binding = [kind == "ParameterBinding" for kind in kinds]
    if not kinds or not len(kinds) == len(commands) == len(values) or sum(binding) != len(bound):
        return "\n".join(values) or None
    names = iter(bound)
    lines = [
        f"{kind}({command}): " + (f"name={next(names)}; value={value}" if binds else value)
        for kind, command, value, binds in zip(kinds, commands, values, binding, strict=True)
    ]
    return "\n".join(lines)


def _list(paths: Paths, path: Path, row: int) -> Sequence[str]:
    values = paths.get(path)
    if values is None or not values[row].is_valid:
        return []
    found = values[row].as_py()
    return found if isinstance(found, list) else [found]
