"""Design-space exploration: what may be chosen, what a choice costs, and which choice to try next."""
