"""Errors of the store.

``StoreError``
├── ``NotFoundError``: no such row
├── ``GoneError``: the row was deleted
├── ``StateConflictError``: the row's state does not allow the verb
├── ``IdempotencyMismatchError``: the key was used with another body
├── ``CursorError``: the cursor was not issued by this store
├── ``StaleSchemaError``: the database is at another migration than the code
└── ``UnavailableError``: the database does not answer, or is locked for too long
    └── ``OutOfSpaceError``: it has no disk space left
"""

from __future__ import annotations


class StoreError(Exception):
    """Base of all errors that the store raises on purpose."""


class NotFoundError(StoreError):
    """No such row."""


class GoneError(StoreError):
    """The row existed and was deleted."""


class StateConflictError(StoreError):
    """The row is in a state that does not allow the verb; ``state`` names it."""

    def __init__(self, message: str, state: str) -> None:
        super().__init__(message)
        self.state = state


class IdempotencyMismatchError(StoreError):
    """The Idempotency-Key was already used with another body."""


class CursorError(StoreError):
    """The paging cursor is not one that this store issued."""


class StaleSchemaError(StoreError):
    """The database schema is not at the migration this code was written for."""


class UnavailableError(StoreError):
    """The database does not answer, was lost in the middle, or stayed locked; whether a write happened is unknown."""


class OutOfSpaceError(UnavailableError):
    """The database has no disk space left."""
