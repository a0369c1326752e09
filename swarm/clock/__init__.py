"""Time that survives a stop of the process, and signs of life."""
