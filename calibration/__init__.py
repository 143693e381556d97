"""Data and fits of the models in ``hwgen.technology``; not shipped, and not part of what identifies a result."""
