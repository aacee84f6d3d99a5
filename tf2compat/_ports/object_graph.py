"""The object-graph port: the tree of a checkpoint as bytes. Adapters are named `object_graph.<name>`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol


@dataclasses.dataclass
class GraphNode:
    """One object of a saved tree. Objects are numbered in the order of the list they come in; the root is number 0."""

    children: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    """(name of the edge, number of the object)"""
    attributes: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    """(attribute, full name of the variable, key in the checkpoint)"""
    slots: list[tuple[int, str, int]] = dataclasses.field(default_factory=list)
    """of an optimizer with slots: (number of the variable, name of the slot, number of the slot variable)"""
    has_values: bool = False
    """whether the object or anything below it has attributes"""


class ObjectGraphCodec(Protocol):
    def encode(self, nodes: Sequence[GraphNode]) -> bytes:
        """The tree as bytes."""

    def decode(self, content: bytes) -> list[GraphNode]:
        """The tree. Raises ValueError when the bytes are not one; numbers of objects in the result are within bounds."""

    def describe(self, node: GraphNode) -> str:
        """An object as text, for error messages."""
