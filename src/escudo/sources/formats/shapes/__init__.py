"""A JSON object of a product -> the Windows event in it; ``json_shapes`` calls it."""
