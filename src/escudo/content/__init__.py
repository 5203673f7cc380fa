"""YAML and CSV files -> typed, checked detections and what belongs to them; use cases call it."""

from escudo.content.collection import Content, load
from escudo.content.elements.common import Origin, Schedule
from escudo.content.elements.deployment import Deployment, Notable
from escudo.content.elements.detection import Detection, DetectionTest, Tags, Throttling
from escudo.content.elements.drilldown import Drilldown
from escudo.content.elements.risk import RiskConfig, RiskObject, ThreatObject
from escudo.content.elements.searches import Baseline, Investigation
from escudo.content.elements.story import Story
from escudo.content.knowledge import ContentKnowledge

__all__ = [
    "Baseline",
    "Content",
    "ContentKnowledge",
    "Deployment",
    "Detection",
    "DetectionTest",
    "Drilldown",
    "Investigation",
    "Notable",
    "Origin",
    "RiskConfig",
    "RiskObject",
    "Schedule",
    "Story",
    "Tags",
    "ThreatObject",
    "Throttling",
    "load",
]
