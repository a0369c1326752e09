"""Tools that are offered: their schemas, arguments and results; native ones."""
