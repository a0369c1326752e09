"""The loop of one agent on one step: what it is told, what it says, when it is done."""
