"""How every operator becomes hardware, one file each; importing the package checks that none is missing."""

from importlib import import_module
from pkgutil import iter_modules

from hwgen.lowering.kinds.lowering import LOWERINGS, check_complete
from hwgen.model.kinds.kind import KINDS

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
check_complete(KINDS, LOWERINGS)
