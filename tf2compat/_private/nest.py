"""`tensorflow.python.util.nest`: `tf.nest` and what else of it libraries use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tf2compat._engine import nest as _nest
from tf2compat._engine.nest import assert_same_structure, flatten, is_nested, map_structure, pack_sequence_as

__all__ = [
    "assert_same_structure", "assert_shallow_structure", "flatten", "flatten_up_to", "flatten_with_joined_string_paths", "flatten_with_tuple_paths",
    "is_namedtuple", "is_nested", "is_nested_or_composite", "is_sequence", "map_structure", "map_structure_up_to", "map_structure_with_paths",
    "map_structure_with_tuple_paths", "pack_sequence_as", "yield_flattened_paths",
]  # fmt: skip

is_sequence = is_nested
is_nested_or_composite = is_nested


def is_namedtuple(instance: Any, strict: bool = False) -> bool:
    return _nest.is_namedtuple(instance)


def flatten_up_to(shallow_tree: Any, input_tree: Any, check_types: bool = True, expand_composites: bool = False) -> list[Any]:
    """The parts of a structure that stand where the shallow one has leaves; lengths are compared, types of sequences are not."""
    if expand_composites:
        raise NotImplementedError("nest.flatten_up_to of tf2compat does not support expand_composites=True.")
    return _nest.flatten_up_to(shallow_tree, input_tree)


def is_mapping(obj: Any) -> bool:
    return isinstance(obj, Mapping)


_is_namedtuple = is_namedtuple


def _yield_sorted_items(iterable: Any) -> Iterator[tuple[Any, Any]]:
    """The parts of a structure, one level deep, each with its key, field or place."""
    parts = _nest.children(iterable)
    if isinstance(iterable, Mapping):
        keys: Any = _nest.sorted_keys(iterable)
    elif is_namedtuple(iterable):
        keys = iterable._fields
    else:
        keys = range(len(parts))
    return zip(keys, parts, strict=True)


def _yield_value(iterable: Any) -> Iterator[Any]:
    """The parts of a structure, one level deep."""
    return iter(_nest.children(iterable))


def _sequence_like(instance: Any, args: Any) -> Any:
    """A structure as `instance`, one level deep, of other parts."""
    return _nest.rebuild(instance, list(args))


def get_traverse_shallow_structure(traverse_fn: Callable[[Any], Any], structure: Any, expand_composites: bool = False) -> Any:
    """The upper part of a structure, as far as `traverse_fn` says to go: a bool for a part, or bools for its parts."""
    goes = traverse_fn(structure)
    if not is_nested(structure):
        if not isinstance(goes, bool):
            raise TypeError(f"traverse_fn returned structure: {goes} for non-structure: {structure}")
        return goes
    parts = _nest.children(structure)
    each = [goes] * len(parts) if isinstance(goes, bool) else _nest.children(goes)
    if goes is False:
        return False
    return _nest.rebuild(structure, [go and get_traverse_shallow_structure(traverse_fn, part) for go, part in zip(each, parts, strict=True)])


def flatten_with_tuple_paths(structure: Any, expand_composites: bool = False) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) pairs."""
    return _nest.flatten_with_paths(structure, expand_composites)


def yield_flattened_paths(nest: Any, expand_composites: bool = False) -> Iterator[tuple[Any, ...]]:
    for path, _ in _nest.flatten_with_paths(nest, expand_composites):
        yield path


yield_flat_paths = yield_flattened_paths


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
