"""A detection -> raw events that must fire it, and near-misses that must not; actions call it."""
