"""Rewrites of the graph before it is lowered."""
