"""Decisions that the copies of a repeated block share, until a split changes the formats of the later ones.

Without it, 32 equal layers would be 32 times the dimensions of one, and no search would find its way. Lanes are always
shared: equal blocks of a pipeline are balanced when they are equally fast. Formats are shared too, but layers differ in
how much precision they need; a *split* gives the copies behind a position the next wider or narrower formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hwgen.model.regions import Region

MAX_STEP = 2  # positions in the list of formats by which a split changes them


@dataclass(frozen=True)
class SharedRegion:
    """The nodes of a region that something is decided of.

    Attributes:
        copies: per copy, the nodes in the order of the body; the first copy holds the leaders.
    """

    copies: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """The first leader."""
        return self.copies[0][0]

    def followers(self, leader: str) -> tuple[str, ...]:
        """The nodes that take over the decisions of a leader, in order of the copies."""
        place = self.copies[0].index(leader)
        return tuple(copy[place] for copy in self.copies[1:])


@dataclass(frozen=True)
class Split:
    """Copies number ``at`` and later take formats ``step`` positions wider than the leaders' (narrower if negative)."""

    at: int
    step: int

    def step_of(self, copy: int) -> int:
        """Positions by which the formats of a copy differ from the leaders'."""
        return self.step if copy >= self.at else 0


WHOLE = Split(1, 0)


def splits(region: SharedRegion) -> Iterator[Split]:
    """Every way to split a region; the first one leaves it whole."""
    yield WHOLE
    for at in range(1, len(region.copies)):
        yield from (Split(at, step) for step in range(-MAX_STEP, MAX_STEP + 1) if step)


def shared_regions(regions: Sequence[Region], choices: Mapping[str, object]) -> tuple[SharedRegion, ...]:
    """The regions whose copies may share decisions.

    Args:
        regions: of the graph.
        choices: per node that something is decided of, its legal choices. A position whose copies differ in them (the
            last copy may make an output of the graph) is shared by nobody.
    """
    found = []
    for region in regions:
        columns = [column for column in zip(*region.copies, strict=True) if _alike(column, choices)]
        if columns:
            found.append(SharedRegion(tuple(zip(*columns, strict=True))))
    return tuple(found)


def _alike(nodes: Sequence[str], choices: Mapping[str, object]) -> bool:
    return all(node in choices and choices[node] == choices[nodes[0]] for node in nodes)
