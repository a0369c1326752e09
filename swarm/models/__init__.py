"""Reaching a model: endpoints, the clients for them, and the model that comes with us."""
