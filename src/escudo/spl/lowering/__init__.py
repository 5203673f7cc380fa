"""Expressions -> SQL, and the reads of tables that hold what they name."""
