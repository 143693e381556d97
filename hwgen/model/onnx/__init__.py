"""ONNX to ``hwgen.model.graph.Graph``: checked before use, refused with words that help."""
