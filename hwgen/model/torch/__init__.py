"""From archives of ``torch.export`` to ONNX."""
