"""How each product writes the events: one file a format."""
