"""The small world: what commands do in it, and what it replies."""
