"""From a tree of objects to named tensors and the description of the tree."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tf2compat import _ports
from tf2compat._engine import trackable
from tf2compat._engine.variable import ResourceVariable, Variable
from tf2compat._ports.checkpoint import TensorData
from tf2compat._ports.object_graph import GraphNode
from tf2compat._threads import each
from tf2compat.train._tensors import to_data

OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
ATTRIBUTES = ".ATTRIBUTES/"
VARIABLE_VALUE = "VARIABLE_VALUE"
#: bytes from which a variable's memory is shared with a checkpoint that is being written, rather than copied
_LARGE = 1 << 16


def escape(name: str) -> str:
    """A name as a part of a key: without slashes."""
    return name.replace(".", "..").replace("/", ".S")


class Tree:
    """The objects below a root, breadth first, each with the path on which it was found first."""

    def __init__(self, root: Any, attached: Mapping[str, Any] | None = None, save_type: str = "checkpoint") -> None:
        self.objects: list[Any] = [root]
        self.paths: list[tuple[str, ...]] = [()]
        self.edges: list[list[tuple[str, int]]] = []
        self.numbers: dict[int, int] = {id(root): 0}
        self._keep: list[Any] = []
        queue = deque([0])
        while queue:
            number = queue.popleft()
            node = self.objects[number]
            children = dict(trackable.children(node, save_type))
            if number == 0 and attached:
                children.update(attached)
            self._keep.append(children)  # ids stay unique while every child lives
            edges = []
            for name, child in children.items():
                known = self.numbers.get(id(child))
                if known is None:
                    known = len(self.objects)
                    self.numbers[id(child)] = known
                    self.objects.append(child)
                    self.paths.append((*self.paths[number], name))
                    queue.append(known)
                edges.append((name, known))
            self.edges.append(edges)


def own_tensors(node: Any) -> Mapping[str, Any]:
    """The tensors that an object of the tree holds itself, by attribute name."""
    if isinstance(node, Variable):
        return {VARIABLE_VALUE: node}
    return node._serialize_to_tensors() if isinstance(node, trackable.Trackable) else {}


def collect(root: Any, attached: Mapping[str, Any] | None = None, lasting: bool = False, save_type: str = "checkpoint") -> list[tuple[str, TensorData]]:
    """Everything a checkpoint of the tree holds: its tensors by TensorFlow's keys, and the description of the tree.

    `lasting`: the values stay as they are now when the program goes on.
    """
    collecting = gc.isenabled()
    gc.disable()  # thousands of objects come, none of which is garbage: the passes that they bring about take longer than the rest
    try:
        return _collected(Tree(root, attached, save_type), lasting)
    finally:
        if collecting:
            gc.enable()


def _collected(tree: Tree, lasting: bool) -> list[tuple[str, TensorData]]:
    tensors: list[tuple[str, TensorData]] = []
    nodes: list[GraphNode] = []
    passing: list[int] = []
    for item, path, edges in zip(tree.objects, tree.paths, tree.edges, strict=True):
        prefix = "/".join(escape(name) for name in path) + "/" + ATTRIBUTES
        node = GraphNode(children=edges)
        values = own_tensors(item)
        for name, value in values.items():
            if lasting and not _lasts(value):
                passing.append(len(tensors))
            tensors.append((prefix + name, to_data(value)))
        full_name = item._shared_name if isinstance(item, Variable) else ""
        whole = getattr(item, "_checkpoint_attribute", None)
        for name in [whole] if whole and values else values:
            node.attributes.append((name, full_name, prefix + name))
        nodes.append(node)
    _add_slots(tree, nodes, tensors, passing if lasting else [])
    # By several threads: most of the time goes into memory that the system has to hand out first.
    copies = each(lambda at: _copied(tensors[at][1]), passing, sum(tensors[at][1].data.nbytes for at in passing))
    for at, data in zip(passing, copies, strict=True):
        tensors[at] = tensors[at][0], data
    _mark_values(nodes)
    tensors.append((OBJECT_GRAPH_KEY, TensorData.of_bytes(_ports.load("object_graph", "tensorflow").encode(nodes))))
    return tensors


def _add_slots(tree: Tree, nodes: list[GraphNode], tensors: list[tuple[str, TensorData]], passing: list[int]) -> None:
    """The variables that optimizers keep for others (`_slots_for_save`), where those are in the tree: they go by both names."""
    for item, path, node in list(zip(tree.objects, tree.paths, nodes, strict=True)):
        slots = getattr(item, "_slots_for_save", None)
        for variable, slot, value in slots() if slots is not None else ():
            owner = tree.numbers.get(id(variable))
            if owner is None:
                continue
            key = slot_key(tree.paths[owner], path, slot)
            if not _lasts(value):
                passing.append(len(tensors))
            tensors.append((key, to_data(value)))
            node.slots.append((owner, slot, len(nodes)))
            nodes.append(GraphNode(attributes=[(VARIABLE_VALUE, value._shared_name, key)]))


def slot_key(owner: Sequence[str], optimizer: Sequence[str], slot: str) -> str:
    """The key of what an optimizer keeps for a variable, from the paths of both."""
    return "/".join([*map(escape, owner), ".OPTIMIZER_SLOT", *map(escape, optimizer), escape(slot)]) + "/" + ATTRIBUTES + VARIABLE_VALUE


def _lasts(value: Any) -> bool:
    """Whether the data of a value stay as they are without a copy.

    A variable whose memory is seen by others writes to other memory; but not when others change that memory, which only a variable that
    nobody else sees yet rules out. A small one is copied sooner than it moves: there are programs that have to learn where it is then.
    """
    if type(value) is not ResourceVariable or not isinstance(value._t, torch.Tensor):
        return False
    if value._t.device.type != "cpu":
        return True  # the copy in the host's memory is nobody else's
    return value._t.nbytes >= _LARGE and not value._pinned and not value._shared()


def _copied(data: TensorData) -> TensorData:
    return TensorData(data.dtype, data.shape, data.data.copy())


def _mark_values(nodes: list[GraphNode]) -> None:
    parents: list[list[int]] = [[] for _ in nodes]
    for number, node in enumerate(nodes):
        for _, child in node.children:
            parents[child].append(number)
    waiting = [number for number, node in enumerate(nodes) if node.attributes]
    while waiting:
        number = waiting.pop()
        if not nodes[number].has_values:
            nodes[number].has_values = True
            waiting += parents[number]
