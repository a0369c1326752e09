"""Which sub-agent may use which model server now, and on which of its slots."""
