"""What every sub-agent works with: asking a model, calling a tool, the budget; all of it recorded."""
