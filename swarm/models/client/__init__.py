"""Asking a model through litellm: requests, streams, failures, retries."""
