"""Schemas as the grammars that model servers take."""
