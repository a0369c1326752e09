"""What is known of a model server: found, probed, counted, tried."""
