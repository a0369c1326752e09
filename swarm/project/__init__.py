"""Finding a project's content: cards, native tools, servers and settings, by reading and never by running."""
