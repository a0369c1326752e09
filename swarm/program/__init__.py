"""Steps that are done by a short program over a few given functions."""
