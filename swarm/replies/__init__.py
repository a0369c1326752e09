"""What a model's text means: dialects, broken JSON, types, evasions."""
