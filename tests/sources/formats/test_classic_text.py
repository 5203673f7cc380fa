"""Classic WinEventLog text: framing, names of the XML and of the add-on."""

from __future__ import annotations

from escudo.sources.format_detection import Format
from escudo.sources.formats.classic_text import read_classic_event
from tests.sources.support import read_bytes

LOGON = """07/01/2024 11:59:58 PM
LogName=Security
EventCode=4625
ComputerName=dc1.example.com
SourceName=Microsoft Windows security auditing.
Type=Information
RecordNumber=5
Keywords=Audit Failure
Message=An account failed to log on.

Subject:
	Security ID:		S-1-0-0
	Account Name:		-

Logon Type:			3

Account For Which Logon Failed:
	Security ID:		S-1-0-0
	Account Name:		eve
	Account Domain:		LAB

Failure Information:
	Failure Reason:		Unknown user name or bad password.
	Status:			0xC000006D
	Sub Status:		0xC000006A

Network Information:
	Workstation Name:	PC9
	Source Network Address:	192.0.2.4
	Source Port:		50123
"""


def test_a_failed_logon() -> None:
    rows, rejected = read_bytes((LOGON + LOGON.replace("eve", "bob")).encode())
    assert rejected == []
    assert [row["TargetUserName"] for row in rows] == ["eve", "bob"]
    row = rows[0]
    assert row["family"] == "windows_security"
    assert row["_time"].isoformat() == "2024-07-01T23:59:58+00:00"
    assert (row["SubjectUserName"], row["LogonType"], row["Status"]) == ("-", "3", "0xC000006D")
    assert (row["IpAddress"], row["WorkstationName"], row["IpPort"]) == (
        "192.0.2.4",
        "PC9",
        "50123",
    )
    assert row["Keywords"] == "0x8010000000000000"
    assert row["Source_Network_Address"] == "192.0.2.4"
    assert row["_raw"] == LOGON.rstrip()


def test_line_ends_of_windows_and_a_text_before() -> None:
    rows, rejected = read_bytes(("# export\r\n" + LOGON.replace("\n", "\r\n")).encode())
    assert [row["TargetUserName"] for row in rows] == ["eve"]
    assert rejected == []  # a heading is a line of another program


def test_an_event_on_one_line() -> None:
    """As a collector of syslog gets it: blanks for the line ends, so that no label of the message
    can be told. A key in the message is none of the header."""
    event = (
        "11/21/2024 06:09:16 PM{0}LogName=Microsoft-Windows-TerminalServices-RDPClient/Operational"
        "{0}EventCode=1024{0}EventType=4{0}ComputerName=pc5.lab.example{0}User=NOT_TRANSLATED"
        "{0}Sid=S-1-5-21-1-2-3-500{0}SidType=0"
        "{0}SourceName=Microsoft-Windows-TerminalServices-ClientActiveXCore{0}Type=Information"
        "{0}RecordNumber=95{0}Keywords=None{0}TaskCategory=Connection Sequence"
        "{0}OpCode=This event is raised during the connection process"
        "{0}Message=RDP ClientActiveX is trying to connect to the server (192.0.2.5) User=x"
    )
    many, rejected = read_bytes(event.format("\n").encode())
    assert rejected == []
    one, rejected = read_bytes((event.format(" ") + "\n" + event.format(" ")).encode())
    assert rejected == []
    assert [{**row, "_raw": ""} for row in one] == [{**row, "_raw": ""} for row in many * 2]
    assert (one[0]["EventID"], one[0]["UserID"]) == ("1024", "S-1-5-21-1-2-3-500")
    assert one[0]["TaskCategory"] == "Connection Sequence"
    assert one[0]["Message"].endswith("(192.0.2.5) User=x")
    assert one[0]["_raw"] == event.format(" ")


def test_a_script_block_keeps_its_lines() -> None:
    text = (
        "07/01/2024 01:00:00 AM\nLogName=Microsoft-Windows-PowerShell/Operational\n"
        "EventCode=4104\nMessage=Creating Scriptblock text (1 of 2):\n$a = 1\n\nif: x\n\n"
        "ScriptBlock ID: 11-22\nPath: C:\\s.ps1"
    )
    own = read_classic_event(text).own
    assert own["ScriptBlockText"] == "$a = 1\n\nif: x\n"
    assert (own["MessageTotal"], own["ScriptBlockId"], own["Path"]) == ("2", "11-22", "C:\\s.ps1")


def test_nothing_of_it_is_no_event() -> None:
    rows, rejected = read_bytes(b"LogName=Security\n", format=Format.CLASSIC_TEXT)
    assert rows == []
    assert [item.code for item in rejected] == ["SRC021"]
