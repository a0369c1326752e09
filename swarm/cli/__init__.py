"""Commands for people and scripts: each command is a small module; heavy imports happen inside it."""
