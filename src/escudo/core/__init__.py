"""What every other package shares: errors with spans, time ranges, schemas, the catalog protocol."""
