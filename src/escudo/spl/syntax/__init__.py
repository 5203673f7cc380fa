"""Text <-> tree: how SPL is read and written. Knows nothing of schemas or SQL."""
