"""Pages for people: HTML from templates, made live by htmx, islands of scripts where needed."""
