"""From a checkpoint back into a tree of objects: now, and as objects turn up later.

A restore happens in two steps. First everything that will be assigned is matched, read and verified; only then does the first
variable change. So a damaged checkpoint, or one that does not fit, leaves every object as it was.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from tf2compat import _ports, errors
from tf2compat._engine import dtypes, trackable
from tf2compat._engine.held import changed
from tf2compat._engine.logs import get_logger
from tf2compat._engine.variable import Variable
from tf2compat._ports.checkpoint import ITEM_SIZE, CheckpointReader, TensorData
from tf2compat._ports.object_graph import GraphNode
from tf2compat._threads import each
from tf2compat.train._saving import ATTRIBUTES, OBJECT_GRAPH_KEY, VARIABLE_VALUE, own_tensors
from tf2compat.train._tensors import to_storage, to_tensor

_log = get_logger()
_LARGE = 1 << 16


def read_object_graph(reader: CheckpointReader, path: str) -> list[GraphNode] | None:
    """The tree that a checkpoint describes, or None if it describes none (it was saved by names alone)."""
    if OBJECT_GRAPH_KEY not in reader.entries:
        return None
    data = reader.read(OBJECT_GRAPH_KEY)
    try:
        if data.dtype != "string" or data.shape != ():
            raise ValueError(f"it is a {data.dtype} tensor of shape {list(data.shape)}")
        return _ports.load("object_graph", "tensorflow").decode(data.data[0])
    except ValueError as error:
        raise errors.DataLossError(None, None, f"{path}: the tensor '{OBJECT_GRAPH_KEY}' is damaged: {error}") from error


def node_names(nodes: list[GraphNode]) -> list[str]:
    """For people: the path on which each object is reached first, such as `(root).model.kernel`."""
    names = ["(unreachable)"] * len(nodes)
    names[0] = "(root)"
    seen = {0}
    queue = deque([0])
    while queue:
        number = queue.popleft()
        for name, child in nodes[number].children:
            if child not in seen:
                seen.add(child)
                names[child] = f"{names[number]}.{name}"
                queue.append(child)
    for optimizer, node in enumerate(nodes):
        for variable, slot, number in node.slots:
            if number not in seen:
                names[number] = f"{names[optimizer]}'s state '{slot}' for {names[variable]}"
    return names


def check_variable(variable: Variable, reader: CheckpointReader, key: str) -> None:
    """Raises what TensorFlow raises when the checkpoint's value under a key does not fit a variable."""
    info = reader.entries.get(key)
    if info is None:
        raise errors.NotFoundError(None, None, f"Key {key} not found in checkpoint")
    if info.dtype != variable.dtype.name:
        expected, actual = (dtypes.as_dtype(name) for name in (variable.dtype.name, info.dtype))
        raise errors.InvalidArgumentError(
            None, None,
            f"tensor_name = {key}; expected dtype {expected._cpp or expected.name} does not equal original dtype "
            f"{actual._cpp or actual.name} [Op:RestoreV2]",
        )  # fmt: skip
    if not variable.shape.is_compatible_with(list(info.shape)):
        raise ValueError(
            f"Received incompatible tensor with shape {info.shape} when attempting to restore variable with shape "
            f"{tuple(variable.shape)} and name {variable.name}."
        )


class _Leftover:
    """Says, when a restored program ends, which values found no place. Separate, so that it has no part in reference cycles."""

    def __init__(self, nodes: list[GraphNode]) -> None:
        self.nodes = nodes
        self.matched: set[int] = set()
        self.unused: dict[int, str] = {}
        self.silent = False

    def __del__(self) -> None:
        if self.silent:
            return
        names: list[str] = []
        missing = [i for i, node in enumerate(self.nodes) if node.attributes and i not in self.matched]
        if missing or self.unused:
            names = node_names(self.nodes)
            _log.warning(
                "Detecting that an object or model or tf.train.Checkpoint is being deleted with unrestored values. See the following "
                "logs for the specific values in question. To silence these warnings, use `status.expect_partial()`. See "
                "https://www.tensorflow.org/api_docs/python/tf/train/Checkpoint#restore for details about the status object returned "
                "by the restore function."
            )
        for number in missing:
            _log.warning("Value in checkpoint could not be found in the restored object: %s", names[number])
        for number, attribute in self.unused.items():
            _log.warning("An attribute in the restored object could not be found in the checkpoint: %s.%s", names[number], attribute)


class Restoration:
    """One restore of one checkpoint, which goes on for as long as objects may still turn up."""

    def __init__(self, reader: CheckpointReader, nodes: list[GraphNode], path: str, skip_slots: bool = False) -> None:
        self.reader = reader
        self.nodes = nodes
        self.path = path
        self.objects: dict[int, Any] = {}
        self.leftover = _Leftover(nodes)
        self.slots = {number for node in nodes for _, _, number in node.slots} if skip_slots else set()

    @property
    def unused(self) -> dict[int, str]:
        return self.leftover.unused

    def arrive(self, node: int, value: Any, attached: Mapping[str, Any] | None = None) -> None:
        """Restores an object, which stands for a node of the checkpoint, and everything below it that exists."""
        plan: list[Callable[[], None]] = []
        values: list[tuple[Variable, str]] = []
        waiting: list[tuple[Any, str, int]] = []
        bound: dict[int, Any] = {}
        queue = deque([(node, value)])
        while queue:
            number, item = queue.popleft()
            known = bound.get(number, self.objects.get(number))
            if known is not None:
                if known is not item:
                    _log.warning(
                        "Inconsistent references when loading the checkpoint into this object graph. For example, in the saved "
                        "checkpoint object, `model.layer.weight` and `model.layer_copy.weight` reference the same variable, while in "
                        "the current object these are two different variables. The referenced variables are:(%s and %s).", known, item,
                    )  # fmt: skip
                continue
            bound[number] = item
            self._plan(number, item, plan, values)
            extra = attached if number == 0 and attached else {}
            for name, child_number in self.nodes[number].children:
                child = extra.get(name)
                if child is None:
                    child = trackable.lookup(item, name)
                if child is None:
                    waiting.append((item, name, child_number))
                else:
                    queue.append((child_number, child))
        self._plan_slots(bound, plan, values)
        contents = read_all(self.reader, [key for _, key in values])
        # Nothing has changed so far. From here on nothing can fail but a restore function of the user's own.
        self.objects.update(bound)
        self.leftover.matched.update(bound)
        assign_all([(variable, content) for (variable, _), content in zip(values, contents, strict=True)])
        for assign in plan:
            assign()
        for item, name, child_number in waiting:
            trackable.await_child(item, name, self, child_number)

    def _plan_slots(self, bound: dict[int, Any], plan: list[Callable[[], None]], values: list[tuple[Variable, str]]) -> None:
        """An optimizer that keeps slots (Keras' legacy ones) offers `_slot_for_restore(variable, slot name)`, which makes it if needed."""
        there = {**self.objects, **bound}
        for number, item in there.items():
            wanted = self.nodes[number].slots
            make = getattr(item, "_slot_for_restore", None) if wanted else None
            for variable, slot, slot_number in wanted if make is not None else ():
                owner = there.get(variable)
                if owner is not None and slot_number not in self.slots and slot_number not in there:
                    made = make(owner, slot)
                    if made is not None:
                        bound[slot_number] = made
                        self._plan(slot_number, made, plan, values)

    def _plan(self, number: int, item: Any, plan: list[Callable[[], None]], values: list[tuple[Variable, str]]) -> None:
        node = self.nodes[number]
        if number in self.slots:
            return
        keys = {name: key for name, _, key in node.attributes}
        if isinstance(item, Variable):
            if VARIABLE_VALUE in keys:
                check_variable(item, self.reader, keys[VARIABLE_VALUE])
                values.append((item, keys[VARIABLE_VALUE]))
                return
            self.leftover.unused.update((number, name) for name in keys)
            return
        if not keys:
            return
        wanted = own_tensors(item)
        if not wanted:
            self.leftover.unused.update((number, name) for name in keys)
            return
        key = next(iter(keys.values()))
        prefix = key[: key.rindex(ATTRIBUTES) + len(ATTRIBUTES)] if ATTRIBUTES in key else key
        found = {name: to_tensor(self.reader.read(prefix + name)) for name in wanted if prefix + name in self.reader.entries}
        if len(found) < len(wanted):
            missing = next(name for name in wanted if name not in found)
            raise errors.NotFoundError(None, None, f"Key {prefix + missing} not found in checkpoint")
        plan.append(lambda: item._restore_from_tensors(found))


def read_all(reader: CheckpointReader, keys: list[str]) -> list[TensorData]:
    """The verified tensors of some keys, read by several threads when they are large."""
    size = sum(reader.entries[key].elements * ITEM_SIZE.get(reader.entries[key].dtype, 0) for key in keys)
    return each(reader.read, keys, size)


def assign_all(pairs: list[tuple[Variable, TensorData]]) -> None:
    """Gives variables their values, which fit. Those in host memory that nobody else sees are filled by several threads."""
    copies: list[tuple[int, TensorData, Any]] = []  # with what owns the memory, should another thread give the variable other
    for variable, content in pairs:
        target = None if content.dtype == "string" or content.data.size < _LARGE else variable._place()
        if target is None or target[1] != content.data.size or not content.data.flags.c_contiguous:
            variable._write(to_storage(content))
        else:
            copies.append((target[0], content, variable._t))
            changed([variable._t])
    each(_copy, copies, sum(content.data.size for _, content, _ in copies))


def _copy(item: tuple[int, TensorData, Any]) -> None:
    address, content, _ = item
    if content.fill is not None:
        content.fill(address)
    else:
        ctypes.memmove(address, content.data.ctypes.data, content.data.size)


def restore_by_names(reader: CheckpointReader, variables: list[Variable]) -> list[Variable]:
    """Restores variables from a checkpoint without a tree, by their names. Returns those for which it has no value."""
    found = []
    missing = []
    for variable in variables:
        if variable._shared_name in reader.entries:
            check_variable(variable, reader, variable._shared_name)
            found.append(variable)
        else:
            missing.append(variable)
    contents = read_all(reader, [variable._shared_name for variable in found])
    assign_all(list(zip(found, contents, strict=True)))
    return missing
