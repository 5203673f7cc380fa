"""The fields of Security events 4688 (a process was created) and 4624 (a logon).

Field meanings: Microsoft, "4688(S) A new process has been created", "4624(S) An account was
successfully logged on". The subject of 4688 is the account of the *creator*; the target is the
account of the new process where it differs. Ids are hexadecimal.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from escudo.generate.columns import (
    Bytes,
    Ints,
    big_endian,
    dashed,
    fixed,
    gather,
    hex_digits,
    numbers,
)
from escudo.generate.formats.base import Part, Tables

AUDIT_FIELDS = (
    "SubjectUserSid",
    "SubjectUserName",
    "SubjectDomainName",
    "SubjectLogonId",
    "NewProcessId",
    "NewProcessName",
    "TokenElevationType",
    "ProcessId",
    "CommandLine",
    "TargetUserSid",
    "TargetUserName",
    "TargetDomainName",
    "TargetLogonId",
    "ParentProcessName",
    "MandatoryLabel",
)
LOGON_FIELDS = (
    "SubjectUserSid",
    "SubjectUserName",
    "SubjectDomainName",
    "SubjectLogonId",
    "TargetUserSid",
    "TargetUserName",
    "TargetDomainName",
    "TargetLogonId",
    "LogonType",
    "LogonProcessName",
    "AuthenticationPackageName",
    "WorkstationName",
    "LogonGuid",
    "TransmittedServices",
    "LmPackageName",
    "KeyLength",
    "ProcessId",
    "ProcessName",
    "IpAddress",
    "IpPort",
    "ImpersonationLevel",
    "RestrictedAdminMode",
    "TargetOutboundUserName",
    "TargetOutboundDomainName",
    "VirtualAccount",
    "TargetLinkedLogonId",
    "ElevatedToken",
)
_LABEL_SIDS = ("S-1-16-4096", "S-1-16-8192", "S-1-16-12288", "S-1-16-16384")
_LABEL_NAMES = ("Low", "Medium", "High", "System")


def audit_fields(tables: Tables, frame: pl.DataFrame, *, resolved: bool) -> list[Part]:
    """Values of ``AUDIT_FIELDS``. ``resolved``: names in place of SIDs, as Splunk's input does."""
    host = frame["host"].to_numpy()
    own, creator = frame["session"].to_numpy(), frame["parent_session"].to_numpy()
    # A process without a known parent was created by the system itself.
    creator = np.where(frame["parent_program"].to_numpy() < 0, 3 * host, creator)
    other = own != creator
    who = tables.session
    label_texts = (
        [tables.escape(f"Mandatory Label\\{n} Mandatory Level") for n in _LABEL_NAMES]
        if resolved
        else list(_LABEL_SIDS)
    )
    labels = pl.Series(label_texts)
    level = frame["level"].to_numpy()
    elevation = pl.Series(["%%1938", "%%1938", "%%1937", "%%1936"])
    logged = tables.world.hosts.command_lines[host]
    pids = tables.hex_pid
    return [
        _sid(tables, creator, resolved),
        _account(tables, creator),
        _domain(tables, creator),
        gather(who.logon_id, creator),
        gather(pids, frame["pid"].to_numpy()),
        frame["image"],
        gather(elevation, level),
        gather(pids, frame["parent_pid"].to_numpy()),
        _either(logged, frame["command"], ""),
        _either(other, _sid(tables, own, resolved), "NULL SID" if resolved else "S-1-0-0"),
        _either(other, _account(tables, own), "-"),
        _either(other, _domain(tables, own), "-"),
        _either(other, gather(who.logon_id, own), "0x0"),
        frame["parent_image"],
        gather(labels, level),
    ]


def logon_fields(tables: Tables, frame: pl.DataFrame, *, resolved: bool) -> list[Part]:
    """Values of ``LOGON_FIELDS``."""
    host, session = frame["host"].to_numpy(), frame["session"].to_numpy()
    source, key = frame["source"].to_numpy(), frame["key"].to_numpy()
    sessions = tables.sessions
    local = sessions.host[session] == host
    kind = np.where(local & (sessions.kind[session] > 0), sessions.kind[session], 3)
    network = kind == 3
    none = "NULL SID" if resolved else "S-1-0-0"
    system = "NT AUTHORITY\\SYSTEM" if resolved else "S-1-5-18"
    who = tables.session
    guids = fixed(dashed(hex_digits(_key_bytes(key))))
    own_names = joined_names(tables, host)
    ids = pl.select(
        pl.when(pl.Series(local & (sessions.kind[session] > 0)))
        .then(gather(who.logon_id, session))
        .otherwise(pl.lit("0x") + _hex(key % (1 << 28) + (1 << 28)))
        .alias("id")
    ).to_series()
    winlogon = tables.escape("C:\\Windows\\System32\\winlogon.exe")
    svchost = tables.escape("C:\\Windows\\System32\\svchost.exe")
    desk = kind == 2
    starter = _either(desk, _constant(winlogon, len(host)), svchost)
    return [
        _either(~network, _constant(tables.escape(system), len(host)), none),
        _either(~network, own_names, "-"),
        _either(~network, _constant(tables.world.names[0], len(host)), "-"),
        _either(~network, _constant("0x3e7", len(host)), "0x0"),
        _sid(tables, session, resolved),
        _account(tables, session),
        _domain(tables, session),
        ids,
        numbers(kind),
        _either(network, _constant("Kerberos", len(host)), "User32 "),
        _either(network, _constant("Kerberos", len(host)), "Negotiate"),
        _either(network, _constant("-", len(host)), own_names),
        guids,
        "-",
        "-",
        "0",
        _either(network, _constant("0x0", len(host)), gather(tables.hex_pid, (key % 900 + 90) * 4)),
        _either(network, _constant("-", len(host)), starter),
        _either(desk, _constant("127.0.0.1", len(host)), gather(tables.address, source)),
        _either(network, numbers(49152 + key % 16000), "0"),
        "%%1833",
        "-",
        "-",
        "-",
        "%%1843",
        "0x0",
        _either(network, _constant("%%1842", len(host)), "%%1843"),
    ]


def joined_names(tables: Tables, host: Ints) -> pl.Series:
    return gather(tables.host_name, host) + "$"


def _is_machine(tables: Tables, session: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """SYSTEM and NETWORK SERVICE act as the computer account outside their host."""
    person = tables.sessions.person[session]
    return np.asarray((person == -1) | (person == -3))


def _account(tables: Tables, session: Ints) -> pl.Series:
    names = joined_names(tables, tables.sessions.host[session])
    return _either(_is_machine(tables, session), names, gather(tables.session.account, session))


def _domain(tables: Tables, session: Ints) -> pl.Series:
    netbios = _constant(tables.world.names[0], len(session))
    return _either(_is_machine(tables, session), netbios, gather(tables.session.domain, session))


def _sid(tables: Tables, session: Ints, resolved: bool) -> pl.Series:
    return gather(tables.session.qualified if resolved else tables.session.sid, session)


def _either(
    condition: np.ndarray[tuple[int], np.dtype[np.bool_]], yes: pl.Series, no: pl.Series | str
) -> pl.Series:
    other = pl.lit(no) if isinstance(no, str) else no
    return pl.select(
        pl.when(pl.Series(condition)).then(yes).otherwise(other).alias("text")
    ).to_series()


def _constant(text: str, rows: int) -> pl.Series:
    return pl.repeat(text, rows, dtype=pl.String, eager=True)


def _key_bytes(key: Ints) -> Bytes:
    return np.concatenate([big_endian(key, 8), big_endian(key * 31 + 7, 8)], axis=1)


def _hex(values: Ints) -> pl.Series:
    digits = fixed(hex_digits(big_endian(values, 4), upper=False))
    return digits.str.strip_chars_start("0")
