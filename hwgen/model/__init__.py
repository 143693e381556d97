"""The float model: its graph, the operators of the graph, and the files that it is read from."""
