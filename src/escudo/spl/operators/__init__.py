"""Steps over relations that several commands share."""
