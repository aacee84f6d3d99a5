"""`tf.TensorShape`: static shapes, whose dimensions or rank may be unknown."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any


def _dim(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, int):
        number = int(value)
    else:
        inner = value
        if hasattr(value, "value"):  # tf.compat.v1.Dimension carries its number in `.value`, variables give theirs
            inner = value.value() if callable(value.value) else value.value
        if inner is None:
            return None
        try:
            number = operator.index(inner)
        except TypeError:
            try:
                number = operator.index(value)
            except TypeError:
                raise TypeError(
                    f"Dimension value must be integer or None or have an __index__ method, got value '{value!r}' with type '{type(value)!r}'"
                ) from None
    if number < 0:
        raise ValueError(f"Dimension {number} must be >= 0")
    return number


class TensorShape:
    """The shape of a tensor: fully known, partially known (`None` dims), or of unknown rank (`tf.TensorShape`).

    Equal to any list or tuple with the same dimensions. Iterating gives ints and Nones; slicing gives a TensorShape.
    """

    __slots__ = ("_dims", "__weakref__")
    _dims: tuple[int | None, ...] | None

    def __init__(self, dims: Any) -> None:
        if isinstance(dims, TensorShape):
            self._dims = dims._dims
        elif dims is None:
            self._dims = None
        elif isinstance(dims, (tuple, list)):
            self._dims = tuple([_dim(d) for d in dims])
        elif hasattr(dims, "unknown_rank") and hasattr(dims, "dim"):  # a TensorShapeProto
            self._dims = None if dims.unknown_rank else tuple(None if d.size == -1 else d.size for d in dims.dim)
        elif isinstance(dims, (str, bytes)):
            raise TypeError(
                f"Failed to convert '{dims!r}' to a shape: '{dims!r}'could not be converted to a dimension. A shape should either be "
                "single dimension (e.g. 10), or an iterable of dimensions (e.g. [1, 10, None])."
            )
        elif not isinstance(dims, Iterable):
            self._dims = (_dim(dims),)
        else:
            self._dims = tuple([_dim(d) for d in dims])

    @classmethod
    def _of(cls, dims: tuple[int | None, ...] | None) -> TensorShape:
        self = cls.__new__(cls)
        self._dims = dims
        return self

    @property
    def rank(self) -> int | None:
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self) -> int | None:
        return self.rank

    @property
    def dims(self) -> list[Any] | None:
        from tf2compat.compat.v1 import Dimension

        return None if self._dims is None else [Dimension(d) for d in self._dims]

    def __len__(self) -> int:
        if self._dims is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._dims)

    def __bool__(self) -> bool:
        return self._dims is not None

    def __iter__(self) -> Iterator[int | None]:
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter(self._dims)

    def __getitem__(self, key: Any) -> Any:
        if self._dims is None:
            if isinstance(key, slice):
                start, stop = key.start or 0, key.stop
                if key.step is not None:
                    raise ValueError("Steps are not yet handled")
                if stop is None or start < 0 or stop < 0:
                    return TensorShape(None)
                return TensorShape._of((None,) * max(0, stop - start))
            return None
        if isinstance(key, slice):
            return TensorShape._of(self._dims[key])
        return self._dims[key]

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, TensorShape):
            try:
                other = TensorShape(other)
            except (TypeError, ValueError):
                return NotImplemented
        return self._dims == other._dims

    def __ne__(self, other: Any) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(self) -> int:
        return hash(self._dims)

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def concatenate(self, other: Any) -> TensorShape:
        """This shape followed by `other`'s dimensions; unknown if either rank is."""
        other = TensorShape(other)
        if self._dims is None or other._dims is None:
            return TensorShape(None)
        return TensorShape._of(self._dims + other._dims)

    def num_elements(self) -> int | None:
        if self._dims is None or None in self._dims:
            return None
        total = 1
        for d in self._dims:
            total *= d  # type: ignore[operator]
        return total

    def is_fully_defined(self) -> bool:
        return self._dims is not None and None not in self._dims

    def as_list(self) -> list[int | None]:
        if self._dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._dims)

    def as_proto(self) -> Any:
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

        if self._dims is None:
            return TensorShapeProto(unknown_rank=True)
        return TensorShapeProto(dim=[TensorShapeProto.Dim(size=-1 if d is None else d) for d in self._dims])

    def is_compatible_with(self, other: Any) -> bool:
        other = TensorShape(other)
        if self._dims is None or other._dims is None:
            return True
        return len(self._dims) == len(other._dims) and all(
            a is None or b is None or a == b for a, b in zip(self._dims, other._dims, strict=True)
        )

    def assert_is_compatible_with(self, other: Any) -> None:
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def is_subtype_of(self, other: Any) -> bool:
        other = TensorShape(other)
        if other._dims is None:
            return True
        if self._dims is None or len(self._dims) != len(other._dims):
            return False
        return all(b is None or a == b for a, b in zip(self._dims, other._dims, strict=True))

    def most_specific_common_supertype(self, others: Any) -> TensorShape | None:
        dims = self._dims
        for other in others:
            o = TensorShape(other)._dims
            if dims is None or o is None or len(o) != len(dims):
                return TensorShape(None)
            dims = tuple(a if a == b else None for a, b in zip(dims, o, strict=True))
        return TensorShape._of(dims)

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        found = self.most_specific_common_supertype([other])
        return TensorShape(None) if found is None else found

    def merge_with(self, other: Any) -> TensorShape:
        """The shape with what either of the two knows; ValueError when they disagree."""
        other = TensorShape(other)
        if self._dims is None:
            return other
        if other._dims is None:
            return self
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        return TensorShape._of(tuple(b if a is None else a for a, b in zip(self._dims, other._dims, strict=True)))

    def with_rank(self, rank: int) -> TensorShape:
        if self._dims is None:
            return TensorShape._of((None,) * rank)
        if len(self._dims) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}")
        return self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def assert_has_rank(self, rank: int) -> None:
        if self._dims is not None and len(self._dims) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_same_rank(self, other: Any) -> None:
        other = TensorShape(other)
        if self._dims is not None and other._dims is not None and len(self._dims) != len(other._dims):
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_is_fully_defined(self) -> None:
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    # TraceType protocol: a shape describes no tensors of its own
    def flatten(self) -> list[Any]:
        return []

    def to_tensors(self, value: Any) -> list[Any]:
        return []

    def from_tensors(self, tensors: Any) -> TensorShape:
        return self

    def placeholder_value(self, placeholder_context: Any) -> TensorShape | None:
        return None

    def cast(self, value: Any, cast_context: Any) -> Any:
        if not isinstance(value, TensorShape) or value != self:
            raise AssertionError(f"Can not cast {value!r} to type {self!r}")
        return value

    @classmethod
    def experimental_type_proto(cls) -> Any:
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

        return TensorShapeProto

    def experimental_as_proto(self) -> Any:
        return self.as_proto()

    @classmethod
    def experimental_from_proto(cls, proto: Any) -> TensorShape:
        return cls(proto)

    def __str__(self) -> str:
        if self._dims is None:
            return "<unknown>"
        if len(self._dims) == 1:
            return f"({self._dims[0]},)"
        return "(" + ", ".join(str(d) for d in self._dims) + ")"

    def __repr__(self) -> str:
        return f"TensorShape({None if self._dims is None else list(self._dims)})"

    def __reduce__(self) -> Any:
        return TensorShape, (self._dims,)


def as_shape(shape: Any) -> TensorShape:
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


def broadcast(x: TensorShape, y: TensorShape) -> TensorShape:
    """Static broadcasting with unknown dims; ValueError when the shapes cannot be broadcast."""
    if x._dims is None or y._dims is None:
        return TensorShape(None)
    rank = max(len(x._dims), len(y._dims))
    a = (1,) * (rank - len(x._dims)) + x._dims
    b = (1,) * (rank - len(y._dims)) + y._dims
    out: list[int | None] = []
    for p, q in zip(a, b, strict=True):
        if p == 1:
            out.append(q)
        elif q == 1 or p == q:
            out.append(p)
        elif p is None or q is None:
            out.append(p if q is None else q)
        else:
            raise ValueError(f"Incompatible shapes for broadcasting: {x} and {y}")
    return TensorShape._of(tuple(out))
