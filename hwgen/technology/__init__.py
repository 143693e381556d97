"""What a bill of materials costs in a family of FPGAs. Imports nothing of the project."""

from hwgen.technology.resources import Resources
from hwgen.technology.technology import FABRICS, Technology, TechnologyError, technology

__all__ = ["FABRICS", "Resources", "Technology", "TechnologyError", "technology"]
