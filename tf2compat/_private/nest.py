"""`tensorflow.python.util.nest`: `tf.nest` and what else of it libraries use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tf2compat._engine import nest as _nest
from tf2compat._engine.nest import assert_same_structure, flatten, flatten_up_to, is_nested, map_structure, pack_sequence_as

__all__ = [
    "assert_same_structure", "assert_shallow_structure", "flatten", "flatten_up_to", "flatten_with_joined_string_paths", "flatten_with_tuple_paths",
    "is_namedtuple", "is_nested", "is_nested_or_composite", "is_sequence", "map_structure", "map_structure_up_to", "map_structure_with_paths",
    "map_structure_with_tuple_paths", "pack_sequence_as", "yield_flattened_paths",
]  # fmt: skip

is_sequence = is_nested
is_nested_or_composite = is_nested


def is_namedtuple(instance: Any, strict: bool = False) -> bool:
    return _nest.is_namedtuple(instance)


def flatten_with_tuple_paths(structure: Any, expand_composites: bool = False) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) pairs."""
    return _nest.flatten_with_paths(structure, expand_composites)


def yield_flattened_paths(nest: Any, expand_composites: bool = False) -> Iterator[tuple[Any, ...]]:
    for path, _ in _nest.flatten_with_paths(nest, expand_composites):
        yield path


def flatten_with_joined_string_paths(structure: Any, separator: str = "/", expand_composites: bool = False) -> list[tuple[str, Any]]:
    """(path, leaf) pairs, with the path as text."""
    return [(separator.join(str(p) for p in path), leaf) for path, leaf in _nest.flatten_with_paths(structure, expand_composites)]


def map_structure_with_tuple_paths(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """The structure of `func(path, *leaves)`."""
    first, *others = [_nest.flatten_with_paths(s) for s in structure]
    leaves = [func(path, leaf, *[o[i][1] for o in others]) for i, (path, leaf) in enumerate(first)]
    return pack_sequence_as(structure[0], leaves)


def map_structure_with_paths(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """The structure of `func("a/0/b", *leaves)`."""
    return map_structure_with_tuple_paths(lambda path, *leaves: func("/".join(str(p) for p in path), *leaves), *structure)


def map_structure_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any, **kwargs: Any) -> Any:
    """`func` on the parts of deeper structures that stand where the shallow one has leaves."""
    parts = [flatten_up_to(shallow_tree, tree) for tree in inputs]
    return pack_sequence_as(shallow_tree, [func(*p) for p in zip(*parts, strict=True)])


def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """An error where `input_tree` does not have the shallow one's structure."""
    flatten_up_to(shallow_tree, input_tree)
