"""Celery tasks as thin shells, the runner behind them, the sandbox and the process supervisor."""
