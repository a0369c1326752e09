"""Starting programs under confinement: what they see, what they may write, and what they may use up."""
