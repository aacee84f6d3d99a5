"""Structures: nested lists, tuples, named tuples, dicts, attrs and dataclasses, as TensorFlow flattens them.

Mappings are flattened in the order of their sorted keys. Composite tensors (ragged, sparse, …) are leaves unless
`expand_composites` is set; they take part by `_tf_components()` and `_tf_from_components(components)`.
"""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Iterator
from typing import Any


def is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value.__class__, "_fields")  # a wrapper of one has its class only by pretending


def _is_attrs(value: Any) -> bool:
    return hasattr(type(value), "__attrs_attrs__")


def is_nested(seq: Any) -> bool:
    """Whether `seq` is a structure (a list, tuple, mapping, attrs class) and not a leaf."""
    t = type(seq)
    if t is list or t is tuple or t is dict:
        return True
    if isinstance(seq, (str, bytes)):
        return False
    return (
        isinstance(seq, (list, tuple, collections.abc.Mapping, collections.abc.MappingView))
        or _is_attrs(seq)
        or hasattr(t, "__tf_flatten__")
    )


def _composite(value: Any) -> bool:
    t = type(value)
    return hasattr(t, "_tf_components") or (hasattr(t, "_component_specs") and value._component_specs is not value)


def _components(value: Any) -> list[Any]:
    """What a composite tensor consists of, or the specs of that, for a spec."""
    if hasattr(type(value), "_tf_components"):
        return value._tf_components()
    parts = value._component_specs
    return children(parts) if is_nested(parts) else [parts]


def _from_components(like: Any, parts: list[Any]) -> Any:
    if hasattr(type(like), "_tf_components"):
        return like._tf_from_components(parts)
    specs = like._component_specs
    return like._from_components(rebuild(specs, parts) if is_nested(specs) else parts[0])


def sorted_keys(mapping: Any) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def children(value: Any) -> list[Any]:
    """The direct elements of a structure in flattening order."""
    if isinstance(value, collections.abc.Mapping):
        return [value[k] for k in sorted_keys(value)]
    if _is_attrs(value):
        return [getattr(value, a.name) for a in type(value).__attrs_attrs__]
    if hasattr(type(value), "__tf_flatten__"):
        return list(value.__tf_flatten__()[1])
    return list(value)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves of a structure as a list; `[structure]` for a leaf."""
    out: list[Any] = []
    _flatten(structure, expand_composites, out)
    return out


def _flatten(value: Any, expand: bool, out: list[Any]) -> None:
    if is_nested(value):
        for child in children(value):
            _flatten(child, expand, out)
    elif expand and _composite(value):
        for child in _components(value):
            _flatten(child, expand, out)
    else:
        out.append(value)


def rebuild(like: Any, elements: list[Any]) -> Any:
    """A structure of the kind of `like` with these direct elements."""
    t = type(like)
    if t is list:
        return list(elements)
    if t is tuple:
        return tuple(elements)
    if hasattr(t, "_tf_like"):  # an attribute's wrapper
        return t._tf_like(like, elements, rebuild)
    if isinstance(like, collections.abc.Mapping):
        values = dict(zip(sorted_keys(like), elements, strict=True))
        ordered = [(k, values[k]) for k in like]
        if isinstance(like, collections.defaultdict):
            return t(like.default_factory, ordered)
        try:
            return t(ordered)
        except TypeError:
            return t(**dict(ordered))
    if is_namedtuple(like):
        return t(*elements)
    if _is_attrs(like):
        return t(*elements)
    if hasattr(t, "__tf_flatten__"):
        return t.__tf_unflatten__(like.__tf_flatten__()[0], tuple(elements))
    if isinstance(like, collections.abc.MappingView):
        return list(elements)
    return t(elements)


def plain(structure: Any) -> Any:
    """A structure in which lists, dicts and tuples that are attributes of trackable objects are what the program assigned."""
    if not is_nested(structure):
        return structure
    inner = structure._container() if hasattr(type(structure), "_tf_like") else structure
    return rebuild(inner, [plain(child) for child in children(inner)])


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The leaves in `flat_sequence` arranged as `structure`; ValueError when their number differs."""
    if not is_nested(flat_sequence):
        raise TypeError(
            f"Attempted to pack value:\n  {flat_sequence}\ninto a structure, but found incompatible type `{type(flat_sequence)}` instead."
        )
    flat = list(flat_sequence)
    if not is_nested(structure) and not (expand_composites and _composite(structure)):
        if len(flat) != 1:
            raise ValueError(f"The target structure is of type `{type(structure)}`\n  {structure}\nHowever the input is a sequence "
                             f"(list) of length {len(flat)}.\n  {flat}\nnest cannot guarantee that it is safe to map one to the other.")  # fmt: skip
        return flat[0]
    count = len(flatten(structure, expand_composites))
    if count != len(flat):
        raise ValueError(
            f"Could not pack sequence. Structure had {count} atoms, but flat_sequence had {len(flat)} items.  "
            f"Structure: {structure}, flat_sequence: {flat}."
        )
    return _pack(structure, iter(flat), expand_composites)


def _pack(structure: Any, leaves: Iterator[Any], expand: bool) -> Any:
    if is_nested(structure):
        return rebuild(structure, [_pack(child, leaves, expand) for child in children(structure)])
    if expand and _composite(structure):
        return _from_components(structure, [_pack(child, leaves, expand) for child in _components(structure)])
    return next(leaves)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """ValueError when the structures differ, TypeError when only their types do (with `check_types`)."""
    try:
        _assert_same(nest1, nest2, check_types, expand_composites)
    except (ValueError, TypeError) as error:
        first = _with_dots(nest1)
        second = _with_dots(nest2)
        raise type(error)(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {_typed(nest1)}\n\n"
            f"Second structure: {_typed(nest2)}\n\n"
            f"More specifically: {error}\nEntire first structure:\n{first}\nEntire second structure:\n{second}"
        ) from None


def _typed(value: Any) -> str:
    return f"type={type(value).__name__} str={value}"


def _with_dots(structure: Any) -> str:
    return str(map_structure(lambda _: _Dot(), structure))


class _Dot:
    def __repr__(self) -> str:
        return "."


def _assert_same(a: Any, b: Any, types: bool, expand: bool) -> None:
    nested_a = is_nested(a) or (expand and _composite(a))
    nested_b = is_nested(b) or (expand and _composite(b))
    if nested_a != nested_b:
        which = 'Substructure "type={} str={}" is a sequence, while substructure "type={} str={}" is not'
        x, y = (a, b) if nested_a else (b, a)
        raise ValueError(which.format(type(x).__name__, x, type(y).__name__, y))
    if not nested_a:
        return
    if types and type(a) is not type(b):
        mappings = isinstance(a, collections.abc.Mapping) and isinstance(b, collections.abc.Mapping)
        lists = isinstance(a, list) and isinstance(b, list)
        tuples = isinstance(a, tuple) and isinstance(b, tuple) and is_namedtuple(a) == is_namedtuple(b)
        same_named = is_namedtuple(a) and is_namedtuple(b) and type(a).__name__ == type(b).__name__ and a._fields == b._fields
        composites = getattr(type(a), "_tf_kind", a) is getattr(type(b), "_tf_kind", b)
        if not composites and expand and _composite(a) and _composite(b):
            one, other = (v if hasattr(type(v), "_component_specs") else getattr(v, "_type_spec", v) for v in (a, b))
            if type(one) is not type(other):
                raise ValueError(f"Incompatible CompositeTensor TypeSpecs: {_typed(one)} vs. {_typed(other)}")
            composites = True
        if not (mappings or lists or same_named or composites or (tuples and not is_namedtuple(a))):
            raise TypeError(
                f"The two namedtuples don't have the same sequence type. First structure {_typed(a)} has type {type(a).__name__}, "
                f"while second structure {_typed(b)} has type {type(b).__name__}"
            )
    if isinstance(a, collections.abc.Mapping) and isinstance(b, collections.abc.Mapping) and set(a) != set(b):
        raise ValueError(f"The two dictionaries don't have the same set of keys. First structure has keys {list(a)}, while second structure has keys {list(b)}")
    ca = children(a) if is_nested(a) else _components(a)
    cb = children(b) if is_nested(b) else _components(b)
    if len(ca) != len(cb):
        raise ValueError(f"The two structures don't have the same number of elements. First structure: {_typed(a)}. Second structure: {_typed(b)}")
    for x, y in zip(ca, cb, strict=True):
        _assert_same(x, y, types, expand)


def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """`func` applied to corresponding leaves of structures of one shape."""
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    check_types = kwargs.pop("check_types", True)
    expand = kwargs.pop("expand_composites", False)
    if kwargs:
        raise ValueError(
            f"Only valid keyword arguments are `check_types` and `expand_composites`, not: `{'`, `'.join(kwargs)}`"
        )
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types=check_types, expand_composites=expand)
    flats = [flatten(s, expand) for s in structure]
    return pack_sequence_as(structure[0], [func(*leaves) for leaves in zip(*flats, strict=True)], expand)


def flatten_with_paths(structure: Any, expand_composites: bool = False) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) pairs; a path is the tuple of keys, indices and field names that leads to the leaf."""
    out: list[tuple[tuple[Any, ...], Any]] = []

    def walk(value: Any, path: tuple[Any, ...]) -> None:
        if isinstance(value, collections.abc.Mapping):
            for k in sorted_keys(value):
                walk(value[k], (*path, k))
        elif is_namedtuple(value):
            for f in value._fields:
                walk(getattr(value, f), (*path, f))
        elif is_nested(value):
            for i, v in enumerate(children(value)):
                walk(v, (*path, i))
        elif expand_composites and _composite(value):
            for i, v in enumerate(_components(value)):
                walk(v, (*path, i))
        else:
            out.append((path, value))

    walk(structure, ())
    return out


def flatten_up_to(shallow: Any, tree: Any) -> list[Any]:
    """The subtrees of `tree` at the leaves of `shallow`."""
    if not is_nested(shallow):
        return [tree]
    if not is_nested(tree):
        raise TypeError(f"If shallow structure is a sequence, input must also be a sequence. Input has type: {type(tree)}.")
    a, b = children(shallow), children(tree)
    if len(a) != len(b):
        raise ValueError(f"The two structures don't have the same sequence length. Input structure has length {len(b)}, while shallow structure has length {len(a)}.")
    return [leaf for x, y in zip(a, b, strict=True) for leaf in flatten_up_to(x, y)]
