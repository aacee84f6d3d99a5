"""The table that `model.summary()` prints, to the character as Keras 2 prints it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .saying import say
from .tracking import dedupe

_BREAKS = ("),", "},", "],", "',")


def count_params(weights: Any) -> int:
    """The number of scalars in variables, each counted once."""
    return int(sum(int(np.prod(w.shape.as_list())) for w in dedupe(weights)))


def _bytes(weights: Any) -> float:
    return float(sum(int(np.prod(w.shape.as_list())) * w.dtype.size for w in dedupe(weights)))


def readable_size(size: float) -> str:
    """`1234` → `1.21 KB`."""
    units = ["Byte", "KB", "MB", "GB", "TB", "PB"]
    for unit in units:
        if size / 1024 < 1:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} {units[-1]}"


def _depths(model: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for node in model._nodes:
        found.setdefault(model._depths[id(node)], []).append(node)
    return found


def _is_sequence(model: Any) -> bool:
    """Whether every layer simply follows the one before, so that the table needs no connections."""
    if type(model).__name__ == "Sequential" or not model._is_graph_network:
        return True
    nodes: list[Any] = []
    for group in _depths(model).values():
        if len(group) > 1 or len(group[0].flat_inputs) > 1:
            return False
        nodes += group
    return all(sum(any(n is m for m in nodes) for n in layer._inbound) <= 1 for layer in model.layers)


def layer_bounds(model: Any, layer_range: Any) -> tuple[int, int]:
    """The indices of the layers between two names (patterns); ValueError when nothing matches."""
    if layer_range is None:
        return 0, len(model.layers)
    if len(layer_range) != 2:
        raise ValueError(f"layer_range must be a list or tuple of length 2. Received: layer_range = {layer_range} of length {len(layer_range)}")
    if not isinstance(layer_range[0], str) or not isinstance(layer_range[1], str):
        raise ValueError(
            "layer_range should contain string type only. Received: " + str(layer_range)
        )
    lower = [i for i, layer in enumerate(model.layers) if re.match(layer_range[0], layer.name)]
    upper = [i for i, layer in enumerate(model.layers) if re.match(layer_range[1], layer.name)]
    if not lower or not upper:
        raise ValueError(f"Passed layer_names do not match the layer names in the model. Received: {layer_range}")
    a, b = min(lower), max(upper)
    return (a, b + 1) if a <= b else (min(upper), max(lower) + 1)


class _Table:
    def __init__(self, model: Any, line_length: Any, positions: Any, show: Any, nested: bool, trainable: bool) -> None:
        self.show, self.nested, self.trainable = show, nested, trainable
        self.sequence = _is_sequence(model)
        self.nodes = None if self.sequence else list(model._nodes)
        if self.sequence:
            self.length = line_length or 65
            positions, self.titles = positions or [0.45, 0.85, 1.0], ["Layer (type)", "Output Shape", "Param #"]
        else:
            self.length = line_length or 98
            positions = positions or [0.3, 0.6, 0.7, 1.0]
            self.titles = ["Layer (type)", "Output Shape", "Param #", "Connected to"]
        self.positions = [int(self.length * p) for p in positions] if positions[-1] <= 1 else list(positions)
        if trainable:
            self.length += 11
            self.positions.append(self.length)
            self.titles.append("Trainable")

    def row(self, fields: list[Any], level: int = 0) -> None:
        left = [str(x) for x in fields]
        last = len(self.positions) - 1
        while any(left):
            line = ""
            for col in range(len(left)):
                start, end = (self.positions[col - 1] if col else 0), self.positions[col]
                space = 2 if col != last else 0
                width = end - start - space - (col != last) - (level if col == 0 else 0)
                part = left[col][:width]
                found = [part.find(x) + len(x) for x in _BREAKS if part.find(x) >= 0]
                if found:
                    width = min(found)
                    part = part[:width]
                if col == 0:
                    line += "|" * level + " "
                line += part + " " * space
                left[col] = left[col][width:]
                line += " " * (end - len(line) - (level if level and col == last else 0))
            self.show(line + "|" * level)

    def fields(self, layer: Any) -> list[Any]:
        try:
            shape: Any = layer.output_shape
        except AttributeError:
            shape = "multiple"
        except RuntimeError:
            shape = "?"
        name = f"{layer.name} ({type(layer).__name__})"
        if not self.sequence:
            links = []
            for node in layer._inbound:
                if not any(node is n for n in self.nodes or ()):
                    continue
                for x in node.flat_inputs:
                    h = x._keras_history
                    links.append(f"{h.layer.name}[{h.node_index}][{h.tensor_index}]")
            out = [name, shape, layer.count_params(), links]
        else:
            unused = not layer.built and not getattr(layer, "_is_graph_network", False)
            out = [name, shape, "0 (unused)" if unused else layer.count_params()]
        if self.trainable:
            out.append("Y" if layer.trainable else "N")
        return out

    def layer(self, layer: Any, level: int = 0, last: bool = False) -> None:
        self.row(self.fields(layer), level)
        inner = getattr(layer, "layers", None)
        if self.nested and inner:
            self.show("|" * (level + 1) + "¯" * (self.length - 2 * level - 2) + "|" * (level + 1))
            for i, sub in enumerate(inner):
                last = i == len(inner) - 1
                self.layer(sub, level + 1, last)
            self.show("|" * level + "¯" * (self.length - 2 * level) + "|" * level)
        if not last:
            self.show("|" * level + " " * (self.length - 2 * level) + "|" * level)


def print_summary(
    model: Any, line_length: int | None = None, positions: Any = None, print_fn: Any = None, expand_nested: bool = False,
    show_trainable: bool = False, layer_range: Any = None,
) -> None:  # fmt: skip
    """Print the table, line by line, through `print_fn`."""
    show = print_fn or say
    table = _Table(model, line_length, positions, show, expand_nested, show_trainable)
    a, b = layer_bounds(model, layer_range)
    show(f'Model: "{model.name}"')
    show("_" * table.length)
    table.row(table.titles)
    show("=" * table.length)
    for layer in model.layers[a:b]:
        table.layer(layer)
    show("=" * table.length)
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    sizes = _bytes(trainable), _bytes(frozen)
    show(f"Total params: {count_params(trainable) + count_params(frozen)} ({readable_size(sum(sizes))})")
    show(f"Trainable params: {count_params(trainable)} ({readable_size(sizes[0])})")
    show(f"Non-trainable params: {count_params(frozen)} ({readable_size(sizes[1])})")
    show("_" * table.length)


