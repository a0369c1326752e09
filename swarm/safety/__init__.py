"""Rules on text that comes in."""
