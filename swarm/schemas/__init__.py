"""JSON Schema: validation, references, branches, samples."""
