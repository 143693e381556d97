"""A graph under rewriting: nodes by name with their users kept up to date."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hwgen.model.graph import Graph, Node
from hwgen.model.kinds.sources import Constant
from hwgen.model.shape import Shape
from hwgen.model.tensors import in_memory
from hwgen.numbers.arrays import Array


class Editor:
    """Nodes of a graph, edited in place by the rules of ``absorb`` and ``canonical``."""

    def __init__(self, graph: Graph) -> None:
        self.nodes: dict[str, Node] = {n.name: n for n in graph.nodes}
        self.outputs: dict[str, str] = {o.node: o.node for o in graph.outputs}
        self._made = 0
        self.users: dict[str, Counter[str]] = {name: Counter() for name in self.nodes}
        for node in graph.nodes:
            for name in node.inputs:
                self.users[name][node.name] += 1

    def put(self, node: Node) -> None:
        """Add a node, or replace the one of the same name."""
        old = self.nodes.get(node.name)
        for name in old.inputs if old else ():
            self.users[name][node.name] -= 1
            self.users[name] += Counter()  # drops zero counts
        self.nodes[node.name] = node
        self.users.setdefault(node.name, Counter())
        for name in node.inputs:
            self.users[name][node.name] += 1

    def new_name(self) -> str:
        """A provisional name that is not in use."""
        self._made += 1
        return f"x{self._made}"

    def constant(self, value: Array, like: Node) -> str:
        """A new constant."""
        name = self.new_name()
        shape = Shape(tuple(value.shape[:-1]), value.shape[-1])
        self.put(Node(name, Constant(), (), shape, in_memory({"value": value}), like.source))
        return name

    def redirect(self, name: str, by: str) -> None:
        """Let everything that reads ``name`` read ``by``."""
        for user in list(self.users[name]):
            node = self.nodes[user]
            self.put(replace(node, inputs=tuple(by if i == name else i for i in node.inputs)))
        for original, current in self.outputs.items():
            if current == name:
                self.outputs[original] = by

    def bypass(self, name: str, by: str) -> None:
        """Let everything that reads ``name`` read ``by``, and remove the node."""
        self.redirect(name, by)
        self.remove(name)

    def remove(self, name: str) -> None:
        """Remove a node that nothing reads."""
        self.put(replace(self.nodes[name], inputs=()))
        del self.nodes[name], self.users[name]

    def is_output(self, name: str) -> bool:
        """Whether the tensor is an output of the graph."""
        return name in self.outputs.values()

    def sole_user(self, name: str) -> Node | None:
        """The only node that reads a tensor, once; None where there are more or it is an output."""
        users = self.users[name]
        if self.is_output(name) or sum(users.values()) != 1:
            return None
        return self.nodes[next(iter(users))]

    def readers(self, name: str) -> tuple[Node, ...]:
        """The nodes that read a tensor."""
        return tuple(self.nodes[u] for u in self.users[name])

    def ordered(self) -> list[Node]:
        """What the outputs need, in topological order, otherwise as the source model has it."""
        needed = self._needed(self.outputs.values())
        place = {name: i for i, name in enumerate(self.nodes)}
        waiting = {name: len(set(self.nodes[name].inputs)) for name in needed}
        ready = [place[name] for name, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        names, order = list(self.nodes), []
        while ready:
            name = names[heapq.heappop(ready)]
            order.append(self.nodes[name])
            for user in self.users[name]:
                if user in waiting:
                    waiting[user] -= 1
                    if waiting[user] == 0:
                        heapq.heappush(ready, place[user])
        return order

    def _needed(self, names: Iterable[str]) -> set[str]:
        needed: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in needed:
                needed.add(name)
                stack.extend(self.nodes[name].inputs)
        return needed

    def drop_dead(self) -> None:
        """Remove everything that the outputs do not need."""
        needed = self._needed(self.outputs.values())
        for name in reversed(list(self.nodes)):
            if name not in needed:
                self.remove(name)


def with_constants(node: Node, constants: Mapping[str, Array]) -> Node:
    """The node with some constants replaced."""
    return replace(node, tensors={**node.tensors, **in_memory(constants)})
