"""Ids of MITRE ATT&CK techniques -> names and tactics (Enterprise), from ``attack.csv``; called by
``annotations`` and by what shows a hunt."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parent / "attack.csv"


@dataclass(frozen=True, slots=True)
class Tactic:
    """``short`` is the name in ATT&CK's data, which Splunk's risk annotations use."""

    id: str
    short: str
    name: str
    kill_chain: str


@dataclass(frozen=True, slots=True)
class Technique:
    id: str
    name: str
    tactics: tuple[Tactic, ...]


_TACTICS: Mapping[str, Tactic] = {
    row[1]: Tactic(*row)
    for row in (
        ("TA0043", "reconnaissance", "Reconnaissance", "Reconnaissance"),
        ("TA0042", "resource-development", "Resource Development", "Weaponization"),
        ("TA0001", "initial-access", "Initial Access", "Delivery"),
        ("TA0002", "execution", "Execution", "Installation"),
        ("TA0003", "persistence", "Persistence", "Installation"),
        ("TA0004", "privilege-escalation", "Privilege Escalation", "Exploitation"),
        ("TA0005", "defense-evasion", "Defense Evasion", "Exploitation"),
        ("TA0006", "credential-access", "Credential Access", "Exploitation"),
        ("TA0007", "discovery", "Discovery", "Exploitation"),
        ("TA0008", "lateral-movement", "Lateral Movement", "Exploitation"),
        ("TA0009", "collection", "Collection", "Exploitation"),
        ("TA0011", "command-and-control", "Command And Control", "Command and Control"),
        ("TA0010", "exfiltration", "Exfiltration", "Actions on Objectives"),
        ("TA0040", "impact", "Impact", "Actions on Objectives"),
    )
}
"""Tactics by short name. The kill chain phase of a tactic is contentctl's assignment."""

TACTICS = tuple(_TACTICS.values())
"""All tactics, in the order of ATT&CK's matrix."""


@cache
def load_techniques() -> Mapping[str, Technique]:
    """All techniques of the table by id.

    >>> t = load_techniques()["T1047"]
    >>> t.name, [x.short for x in t.tactics]
    ('Windows Management Instrumentation', ['execution'])
    """
    with _TABLE.open(encoding="utf-8", newline="") as stream:
        return {
            row["id"]: Technique(
                row["id"], row["name"], tuple(_TACTICS[t] for t in row["tactics"].split())
            )
            for row in csv.DictReader(stream)
        }


def find_techniques(ids: Sequence[str]) -> tuple[list[Technique], list[str]]:
    """The techniques of some ids, and the ids that the table does not have.

    A sub-technique that is missing has the tactics of its technique.
    """
    table = load_techniques()
    known: list[Technique] = []
    missing: list[str] = []
    for identity in ids:
        exact = table.get(identity)
        parent = table.get(identity.split(".")[0])
        if exact is not None:
            known.append(exact)
        else:
            missing.append(identity)
            if parent is not None:
                known.append(Technique(identity, parent.name, parent.tactics))
    return known, missing
