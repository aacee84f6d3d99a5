"""Pipelines made while a function is traced, of tensors of that function: they are made again, of the tensors' values, in each run.

Until then a stage holds the symbolic tensors themselves, or an `Unknown` in the place of a number.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from .._engine import nest
from .._engine.op import wrap_here
from .._engine.symbolic import SymbolicTensor
from .dataset import Dataset, Unknown
from .functions import Traced


class Recipe:
    """A pipeline, and the symbolic tensors that it is made of, in order."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        found: dict[int, SymbolicTensor] = {}

        def noticed(t: SymbolicTensor) -> SymbolicTensor:
            found[id(t)] = t
            return t

        _walk(dataset, noticed, {})
        self.inputs = list(found.values())

    @property
    def element_spec(self) -> Any:
        return self.dataset.element_spec

    def made(self, storages: tuple[Any, ...]) -> Dataset:
        """The pipeline with values in the place of the symbolic tensors."""
        values = {}
        for t, s in zip(self.inputs, storages, strict=True):
            if isinstance(s, torch.Tensor):
                s = s.detach()  # gradients end at a pipeline
            values[id(t)] = wrap_here(s if hasattr(s, "dtype") else torch.tensor(s, dtype=t.dtype.torch))
        return _walk(self.dataset, lambda t: values[id(t)], {})


def recipe(dataset: Any) -> Recipe | None:
    """The recipe of a pipeline; None for one that needs no values."""
    found = Recipe(dataset)
    return found if found.inputs else None


def _walk(value: Any, change: Callable[[SymbolicTensor], Any], seen: dict[int, Any]) -> Any:
    """`value` with its symbolic tensors changed. What has none stays the very object."""
    if isinstance(value, SymbolicTensor):
        return change(value)
    if isinstance(value, Unknown):
        found = change(value.tensor)
        return value if found is value.tensor else int(found)
    if isinstance(value, (Dataset, Traced)):
        known = seen.get(id(value))
        if known is not None:
            return known[1]
        made = _stage(value, change, seen) if isinstance(value, Dataset) else _function(value, change)
        seen[id(value)] = (value, made)
        return made
    if type(value) in (list, tuple, dict) or isinstance(value, tuple) and hasattr(value, "_fields"):
        children = list(value.values()) if isinstance(value, dict) else list(value)
        changed = [_walk(v, change, seen) for v in children]
        if all(a is b for a, b in zip(children, changed, strict=True)):
            return value
        if isinstance(value, dict):
            return dict(zip(value, changed, strict=True))
        return type(value)(*changed) if hasattr(value, "_fields") else type(value)(changed)
    if hasattr(type(value), "_type_spec"):  # ragged and sparse tensors
        parts = nest.flatten(value, expand_composites=True)
        changed = [_walk(p, change, seen) for p in parts if p is not value]
        if len(changed) == len(parts) and any(a is not b for a, b in zip(parts, changed, strict=True)):
            return nest.pack_sequence_as(value, changed, expand_composites=True)
    return value


def _stage(stage: Dataset, change: Callable[[SymbolicTensor], Any], seen: dict[int, Any]) -> Dataset:
    before = {k: v for k, v in vars(stage).items() if k != "_spec"}
    after = {k: _walk(v, change, seen) for k, v in before.items()}
    if all(after[k] is before[k] for k in before):
        return stage
    made = copy.copy(stage)
    vars(made).update(after)
    made._remade()
    return made


def _function(function: Traced, change: Callable[[SymbolicTensor], Any]) -> Traced:
    changed = [change(t) for t in function.captured]
    if all(a is b for a, b in zip(function.captured, changed, strict=True)):
        return function
    made = copy.copy(function)
    made.captured = []
    made.bound = [t._t for t in changed]
    return made

