"""The asynchronous client: the calls of ``Client``, ``Job``, ``Trial`` and ``Sweep``, awaited instead of blocking.

What a call does is written once, in ``calls`` and ``http``; arguments, answers and errors are those of the method of
the same name there.
"""

from headrace.aio.client import AsyncClient
from headrace.aio.job import AsyncJob
from headrace.aio.sweep import AsyncSweep
from headrace.aio.trial import AsyncTrial

__all__ = ["AsyncClient", "AsyncJob", "AsyncSweep", "AsyncTrial"]
