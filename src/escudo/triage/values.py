"""The words that triage is written in: those of Splunk ES; whoever changes or shows findings uses
them."""

from __future__ import annotations

from collections.abc import Mapping

NEW = "new"
STATUSES: Mapping[str, str] = {
    NEW: "New",
    "in progress": "In progress",
    "pending": "Pending",
    "resolved": "Resolved",
    "closed": "Closed",
}
"""The states that a person can give a finding, with their names (ES, reviewstatuses.conf)."""

OPEN = (NEW, "in progress", "pending")
"""States of findings that somebody still has to work on."""

SUPPRESSED = "suppressed"
"""The state of what a suppression took out of the queue; no person gives it."""

UNASSIGNED = "unassigned"

UNDETERMINED = "undetermined"
DISPOSITIONS: Mapping[str, str] = {
    UNDETERMINED: "Undetermined",
    "true positive": "True Positive - Suspicious Activity",
    "benign positive": "Benign Positive - Suspicious But Expected",
    "false positive logic": "False Positive - Incorrect Analytic Logic",
    "false positive data": "False Positive - Inaccurate Data",
    "other": "Other",
}
"""What findings turned out to be (ES, Disposition of notable events)."""

URGENCIES = ("informational", "low", "medium", "high", "critical")
"""From the least to the most urgent."""
