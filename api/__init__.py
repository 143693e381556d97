"""The HTTP service: routes, wire schemas and problem documents. It parses no model and simulates nothing."""
