"""Hardware generation: a trained model and a candidate in, simulated and compared RTL out."""
