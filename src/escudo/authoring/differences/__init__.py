"""Two states of content -> what differs, element by element."""
