"""Content files -> what in them a content repository would not accept; ``escudo validate`` asks.

Loading is tolerant: it leaves out what cannot be used, takes the rest. The checks are what a team
agrees on beyond that: those of contentctl 5.6.2 (Apache-2.0, github.com/splunk/contentctl, its
``objects/``), and Escudo's own. They are run by ``validate`` only, over the files as they are.
"""

from escudo.content.checks.attack_ids import AttackIds, read_attack_package, read_stix_file
from escudo.content.checks.element import Element, Known, is_repository, place_text
from escudo.content.checks.other_apps import find_owner
from escudo.content.checks.risk_checks import list_risk_objects, list_threat_objects
from escudo.content.checks.run import build_known, check_elements
from escudo.content.checks.value import Value

__all__ = [
    "AttackIds",
    "Element",
    "Known",
    "Value",
    "build_known",
    "check_elements",
    "find_owner",
    "is_repository",
    "list_risk_objects",
    "list_threat_objects",
    "place_text",
    "read_attack_package",
    "read_stix_file",
]
