"""`tensorflow.python.util.nest`: `tf.nest` and what else of it libraries use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tf2compat._engine import nest as _nest
from tf2compat._engine.nest import assert_same_structure, flatten, is_nested, map_structure, pack_sequence_as

__all__ = [
    "assert_same_structure", "assert_shallow_structure", "flatten", "flatten_dict_items", "flatten_up_to", "flatten_with_joined_string_paths",
    "flatten_with_tuple_paths", "flatten_with_tuple_paths_up_to", "is_attrs", "is_mapping", "is_namedtuple", "is_nested", "is_nested_or_composite",
    "is_sequence", "list_to_tuple", "map_structure", "map_structure_up_to", "map_structure_with_paths", "map_structure_with_tuple_paths",
    "map_structure_with_tuple_paths_up_to", "pack_sequence_as", "same_namedtuples", "yield_flattened_paths",
]  # fmt: skip

is_sequence = is_nested
is_nested_or_composite = is_nested


def is_namedtuple(instance: Any, strict: bool = False) -> bool:
    return _nest.is_namedtuple(instance)


def _is_deep(value: Any, expand_composites: bool) -> bool:
    return is_nested(value) or (expand_composites and hasattr(type(value), "_tf_components"))


def flatten_up_to(shallow_tree: Any, input_tree: Any, check_types: bool = True, expand_composites: bool = False) -> list[Any]:
    """The parts of a structure that stand where the shallow one has leaves. TypeError for kinds of structures, ValueError for lengths
    and keys that are not the shallow one's."""
    assert_shallow_structure(shallow_tree, input_tree, check_types, expand_composites)
    return [part for _, part in _parts_up_to(shallow_tree, input_tree, expand_composites)]


def flatten_with_tuple_paths_up_to(
    shallow_tree: Any, input_tree: Any, check_types: bool = True, expand_composites: bool = False
) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, part) pairs of the parts that stand where the shallow structure has leaves."""
    assert_shallow_structure(shallow_tree, input_tree, check_types, expand_composites)
    return list(_parts_up_to(shallow_tree, input_tree, expand_composites))


def _parts_up_to(shallow: Any, tree: Any, expand: bool, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if not _is_deep(shallow, expand):
        yield path, tree
        return
    parts = dict(_yield_sorted_items(tree))
    for key, part in _yield_sorted_items(shallow):
        yield from _parts_up_to(part, parts[key], expand, (*path, key))


def is_mapping(obj: Any) -> bool:
    return isinstance(obj, Mapping)


_is_namedtuple = is_namedtuple


def _yield_sorted_items(iterable: Any) -> Iterator[tuple[Any, Any]]:
    """The parts of a structure, one level deep, each with its key, field or place."""
    parts = list(_yield_value(iterable))
    if isinstance(iterable, Mapping):
        keys: Any = _nest.sorted_keys(iterable)
    elif is_namedtuple(iterable):
        keys = iterable._fields
    else:
        keys = range(len(parts))
    return zip(keys, parts, strict=True)


def _yield_value(iterable: Any) -> Iterator[Any]:
    """The parts of a structure, one level deep."""
    return iter(_nest.children(iterable) if is_nested(iterable) else iterable._tf_components())


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
    return map_structure_with_tuple_paths_up_to(shallow_tree, lambda _, *parts: func(*parts), *inputs, **kwargs)


def map_structure_with_tuple_paths_up_to(shallow_tree: Any, func: Callable[..., Any], *inputs: Any, **kwargs: Any) -> Any:
    """As `map_structure_up_to`, of a function that is told the path of the parts, a tuple, first."""
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    check_types, expand = kwargs.pop("check_types", True), kwargs.pop("expand_composites", False)
    first, *others = [flatten_with_tuple_paths_up_to(shallow_tree, tree, check_types, expand) for tree in inputs]
    results = [func(path, part, *[o[i][1] for o in others], **kwargs) for i, (path, part) in enumerate(first)]
    return pack_sequence_as(shallow_tree, results, expand)


def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """An error where `input_tree` does not have the shallow one's structure: TypeError for kinds, ValueError for lengths and keys."""
    if not _is_deep(shallow_tree, expand_composites):
        return
    if not _is_deep(input_tree, expand_composites):
        raise TypeError(f"If shallow structure is a sequence, input must also be a sequence. Input has type: {type(input_tree)}.")
    if not is_nested(shallow_tree) or not is_nested(input_tree):  # composites
        if getattr(type(shallow_tree), "_tf_kind", type(shallow_tree)) is not getattr(type(input_tree), "_tf_kind", type(input_tree)):
            raise _mismatch(shallow_tree, input_tree)
        if expand_composites and not _same_spec(shallow_tree, input_tree):
            raise ValueError(f"Incompatible CompositeTensor TypeSpecs: {_spec_of(shallow_tree)} vs. {_spec_of(input_tree)}")
    else:
        if check_types and not isinstance(input_tree, type(shallow_tree)) and not _alike(shallow_tree, input_tree):
            raise _mismatch(shallow_tree, input_tree)
        if len(shallow_tree) != len(input_tree) if hasattr(shallow_tree, "__len__") and hasattr(input_tree, "__len__") else False:
            raise ValueError(
                f"The two structures don't have the same sequence length. Input structure has length {len(input_tree)}, while shallow "
                f"structure has length {len(shallow_tree)}."
            )
        if isinstance(shallow_tree, Mapping):
            absent = set(shallow_tree) - set(input_tree)
            if absent:
                raise ValueError(
                    "The shallow_tree's keys are not a subset of the input_tree's keys. The shallow_tree has the following keys that are "
                    f"not in the input_tree: {sorted(absent)}."
                )
    for shallow, part in zip(_yield_value(shallow_tree), _yield_value(input_tree), strict=False):
        assert_shallow_structure(shallow, part, check_types, expand_composites)


def _mismatch(shallow: Any, tree: Any) -> TypeError:
    return TypeError(
        f"The two structures don't have the same sequence type. Input structure has type {type(tree)}, while shallow structure has type "
        f"{type(shallow)}."
    )


def _alike(shallow: Any, tree: Any) -> bool:
    """Whether two structures of different classes are of one kind."""
    if is_namedtuple(shallow) and is_namedtuple(tree):
        return same_namedtuples(shallow, tree)
    return any(isinstance(shallow, kind) and isinstance(tree, kind) for kind in (list, Mapping))


def _spec_of(value: Any) -> Any:
    from tf2compat import type_spec_from_value

    return type_spec_from_value(value)


def _same_spec(a: Any, b: Any) -> bool:
    return _spec_of(a).most_specific_compatible_type(_spec_of(b)) is not None if a is not b else True


def same_namedtuples(nest1: Any, nest2: Any) -> bool:
    """Whether two named tuples have one name and the same fields."""
    return type(nest1).__name__ == type(nest2).__name__ and nest1._fields == nest2._fields


def is_attrs(obj: Any) -> bool:
    return hasattr(type(obj), "__attrs_attrs__")


_is_attrs = is_attrs
_is_mapping = is_mapping


def list_to_tuple(structure: Any) -> Any:
    """A structure with tuples in the place of its lists."""
    if isinstance(structure, list):
        return tuple([list_to_tuple(part) for part in structure])
    return _nest.rebuild(structure, [list_to_tuple(part) for part in _nest.children(structure)]) if is_nested(structure) else structure


def flatten_dict_items(dictionary: Any) -> Any:
    """A mapping from structures to structures of the same shape as one from leaves to leaves."""
    if not isinstance(dictionary, Mapping):
        raise TypeError("input must be a dictionary")
    flat: dict[Any, Any] = {}
    for key, value in dictionary.items():
        keys, values = (flatten(key), flatten(value)) if is_nested(key) else ([key], [value])
        if is_nested(key):
            if not is_nested(value):
                raise ValueError(f"Value belonging to key {key} is not nested while the key is. Key: {key}, value: {value}")
            if len(keys) != len(values):
                raise ValueError(
                    f"Could not flatten dictionary. Key had {len(keys)} elements, but value had {len(values)} elements. Key: {keys}, value: "
                    f"{values}."
                )
        for k, v in zip(keys, values, strict=True):
            if k in flat:
                raise ValueError(f"Cannot flatten dict because this key is not unique: {k}")
            flat[k] = v
    return flat
