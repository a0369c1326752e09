"""The scripted model: replies by script, at a pace, with faults."""
