"""What the rooms speak about: plan, step, result, event, command, tool, card, limits, messages."""
