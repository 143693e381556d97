"""Requests and answers without input or output of their own, and the two drivers that perform them.

``steps`` says what a caller can ask for (send, wait, read a line), ``delivery`` when to try again, ``requests`` what
each call of the service is. All of that is written once. ``link`` performs it, blocking or with asyncio.
"""
