"""Trees -> relations: what a pipeline means over a catalog, at a time."""
