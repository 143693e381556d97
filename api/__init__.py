"""The HTTP service: routes, wire schemas and problem documents. It parses no model and simulates nothing."""

__version__ = "0.1.0"
