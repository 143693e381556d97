"""Hardware: the operator contract, streams, whole designs, and their text."""
