"""Leases by name: what only one process may do at a time."""

from __future__ import annotations

from sqlalchemy import delete, or_, update

from db import tables, transition
from db.engine import Database


class Leases:
    """``store.leases``: held by an owner until a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, owner: str, seconds: float) -> bool:
        """Take or extend a named lease; False while another owner has it."""
        leases = tables.leases
        with self._database.write() as connection:
            now = self._database.now(connection)
            values = {"name": name, "owner": owner, "until": now.steady + seconds}
            if transition.insert_if_absent(connection, leases, values):
                return True
            mine = or_(leases.c.owner == owner, leases.c.until < now.steady)
            taken = update(leases).where(leases.c.name == name, mine).values(owner=owner, until=now.steady + seconds)
            return connection.execute(taken).rowcount == 1

    def release(self, name: str, owner: str) -> None:
        """Give a named lease back, if it is still ours."""
        leases = tables.leases.c
        with self._database.write() as connection:
            connection.execute(delete(tables.leases).where(leases.name == name, leases.owner == owner))
