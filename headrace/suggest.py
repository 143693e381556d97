"""The likeliest meaning of a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``": did you mean u250?"``, or nothing where no known word is near."""
    names = list(known)
    by_fold = {name.casefold(): name for name in names}
    near = [by_fold[n] for n in get_close_matches(word.casefold(), by_fold, n=3, cutoff=0.6)]
    near = near or [name for name in names if len(word) >= 3 and name.casefold().startswith(word.casefold())][:3]
    return f": did you mean {' or '.join(near)}?" if near else ""
