"""Policies on text, applied where it enters."""
