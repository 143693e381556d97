"""Uploaded model files to ``hwgen.ir.Graph``: sniffed by content, checked before use, refused with words that help."""
