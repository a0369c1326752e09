"""A run's file: who owns it, and whether it is whole."""
