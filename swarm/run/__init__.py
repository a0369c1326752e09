"""A run from its task to its answer: start, resume, stop."""
