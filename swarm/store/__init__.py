"""What is kept of a run: the journal, large texts, checkpoints and who owns the file."""
