"""Inputs that keep coming -> committed batches of events: watched folders, files that grow,
standard input; actions and the scheduler call it."""

from escudo.inputs.batches import CommittedBatch
from escudo.inputs.following import FollowOptions, follow_inputs

__all__ = ["CommittedBatch", "FollowOptions", "follow_inputs"]
