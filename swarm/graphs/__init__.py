"""LangGraph graphs as agents: their model calls, tools and checkpoints are the run's."""
