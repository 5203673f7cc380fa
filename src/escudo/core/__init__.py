"""What all packages share: errors with spans, time ranges, schemas, the catalog protocol."""
