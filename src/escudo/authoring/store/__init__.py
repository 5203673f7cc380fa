"""Content of elsewhere -> content packs in the user's own store, pinned."""
