"""SPL: text -> macros -> AST -> plan -> SQLGlot tree. Knows nothing of engines or storage."""
