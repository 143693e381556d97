"""The store: verbs, not queries. Each verb is one short transaction; frozen rows come out."""

from __future__ import annotations

from sqlalchemy import text

from db.engine import Database
from db.events import Events
from db.health import Health
from db.jobs import Jobs
from db.leases import Leases
from db.outbox import Outbox
from db.points import Points
from db.searches import Searches
from db.sweeps import Sweeps
from db.trials import Trials
from db.upkeep import Upkeep
from db.uploads import Datasets, Models
from db.work import Work
from db.workers import Workers


class Store:
    """All verbs on one database, by what they are about.

    Safe to share between threads; make one per process, after any fork.

    The schema must exist: ``db.migrate.upgrade(url)``.

    Attributes:
        models, datasets, sweeps: what is stored once and never changes.
        jobs, trials, points, events: what users read and steer.
        searches: what a driver does under its lease of a job.
        work: what a worker does under its lease of a trial.
        outbox: messages on their way to the broker.
        upkeep: sweeps over what was lost and what is old.
        leases: leases by name.
        workers: the processes that were heard.
        health: how the service fares.
    """

    def __init__(self, url: str) -> None:
        """Open lazily: nothing is connected before the first verb.

        Args:
            url: ``sqlite:////absolute/path.db`` or ``postgresql://user:password@host/name``.
        """
        self.database = Database(url)
        self.models = Models(self.database)
        self.datasets = Datasets(self.database)
        self.sweeps = Sweeps(self.database)
        self.jobs = Jobs(self.database)
        self.trials = Trials(self.database)
        self.points = Points(self.database)
        self.events = Events(self.database)
        self.searches = Searches(self.database)
        self.work = Work(self.database)
        self.outbox = Outbox(self.database)
        self.upkeep = Upkeep(self.database)
        self.leases = Leases(self.database)
        self.workers = Workers(self.database)
        self.health = Health(self.database)

    def check(self) -> None:
        """One round trip to the database; raises UnavailableError when it cannot be reached."""
        with self.database.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
