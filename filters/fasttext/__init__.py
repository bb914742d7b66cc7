"""fastText's models: read, asked and trained by us."""
