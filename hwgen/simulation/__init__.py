"""Compiled operators, the simulation composed of them, sign-off, and the bundle that repeats it elsewhere."""
