"""From a task to a plan that can run: draft by the model, then tidied and checked by rules."""
