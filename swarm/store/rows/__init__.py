"""What a run's owner writes: tables, the one writer, journal, ledger, texts, checkpoints."""
