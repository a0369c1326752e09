"""Where the work of a step executes: in this process, later on a cluster."""
