"""Options -> content files: a new element, a new repository."""
