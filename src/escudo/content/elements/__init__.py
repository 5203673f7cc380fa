"""One dataclass for each kind of content element, each with the function that reads it."""
