"""A detection -> its annotations: what its risk events and findings say of frameworks and stories;
called where these are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from escudo.content import Detection
from escudo.findings.attack import Technique, find_techniques


@dataclass(frozen=True)
class Annotations:
    """``values`` is framework -> values, in the order in which ``_all`` lists them.

    What the YAML leaves out is derived as contentctl does: NIST's category from the type, the CIS
    control from the security domain, kill chain phases from the tactics.
    """

    detection: Detection
    techniques: tuple[Technique, ...]
    unknown_techniques: tuple[str, ...]

    @cached_property
    def values(self) -> Mapping[str, Sequence[str]]:
        tags = self.detection.tags
        tactics = [t for technique in self.techniques for t in technique.tactics]
        network = tags.security_domain.lower() == "network"
        known = {
            "mitre_attack": tags.mitre_attack_id,
            "cis20": tags.cis20 or (("CIS 13",) if network else ("CIS 10",)),
            "kill_chain_phases": tags.kill_chain_phases
            or tuple(dict.fromkeys(t.kill_chain for t in tactics)),
            "nist": tags.nist or (("DE.CM",) if self.detection.type == "TTP" else ("DE.AE",)),
            "cve": tags.cve,
            "data_source": self.detection.data_source,
            "type": (self.detection.type,),
            "analytic_story": tags.analytic_story,
        }
        return {name: values for name, values in known.items() if values}

    @cached_property
    def fields(self) -> Mapping[str, Sequence[str]]:
        """The ``annotations.*`` fields of a risk event or finding, all of them multivalue."""
        tactics = {t.short: t for technique in self.techniques for t in technique.tactics}
        everything = dict.fromkeys(v for values in self.values.values() for v in values)
        prefix = "annotations.mitre_attack.mitre_"
        out: dict[str, Sequence[str]] = {
            "annotations._all": tuple(everything),
            "annotations._frameworks": tuple(self.values),
            f"{prefix}technique_id": self.detection.tags.mitre_attack_id,
            f"{prefix}technique": tuple(dict.fromkeys(t.name for t in self.techniques)),
            f"{prefix}tactic": tuple(tactics),
            f"{prefix}tactic_id": tuple(t.id for t in tactics.values()),
        }
        out.update((f"annotations.{name}", values) for name, values in self.values.items())
        return {name: values for name, values in out.items() if values}


def annotate(detection: Detection) -> Annotations:
    """
    >>> from escudo import content
    >>> annotations = annotate(content.load().detection("Process Execution via WMI"))
    >>> annotations.fields["annotations.mitre_attack.mitre_tactic"]
    ('execution',)
    """
    techniques, unknown = find_techniques(detection.tags.mitre_attack_id)
    return Annotations(detection, tuple(techniques), tuple(unknown))
