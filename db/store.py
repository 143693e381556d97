"""The store: verbs, not queries. Each verb is one short transaction; frozen rows come out."""

from __future__ import annotations

from db.driving import DriverVerbs
from db.engine import Database
from db.jobs import JobVerbs
from db.registry import RegistryVerbs
from db.trials import TrialVerbs
from db.upkeep import UpkeepVerbs


class Store(JobVerbs, DriverVerbs, TrialVerbs, RegistryVerbs, UpkeepVerbs):
    """All verbs on one database. Safe to share between threads; make one per process, after any fork.

    The schema must exist: ``db.migrate.upgrade(url)``.
    """

    def __init__(self, url: str) -> None:
        """Open lazily: nothing is connected before the first verb.

        Args:
            url: ``sqlite:////absolute/path.db`` or ``postgresql://user:password@host/name``.
        """
        self.database = Database(url)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
