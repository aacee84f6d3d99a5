"""`operator[...]`: slices of the batch of a linear operator, by slicing what it was made of."""

from __future__ import annotations

import inspect
from typing import Any

import tf2compat as tf

#: of each class the arguments that have batch dimensions, and how many of their last dimensions belong to the matrix
_NDIMS: dict[str, dict[str, Any]] = {
    "LinearOperatorAdjoint": {"operator": 0}, "LinearOperatorInversion": {"operator": 0}, "LinearOperatorComposition": {"operators": 0},
    "LinearOperatorKronecker": {"operators": 0}, "LinearOperatorBlockDiag": {"operators": 0},
    "LinearOperatorBlockLowerTriangular": {"operators": 0},
    "LinearOperatorLowRankUpdate": {"base_operator": 0, "u": 2, "diag_update": 1, "v": 2}, "LinearOperatorCirculant": {"spectrum": 1},
    "LinearOperatorCirculant2D": {"spectrum": 2}, "LinearOperatorCirculant3D": {"spectrum": 3}, "LinearOperatorFullMatrix": {"matrix": 2},
    "LinearOperatorDiag": {"diag": 1}, "LinearOperatorScaledIdentity": {"multiplier": 0}, "LinearOperatorLowerTriangular": {"tril": 2},
    "LinearOperatorHouseholder": {"reflection_axis": 1}, "LinearOperatorPermutation": {"perm": 1},
    "LinearOperatorToeplitz": {"col": 1, "row": 1}, "LinearOperatorTridiag": {"diagonals": 2},
}  # fmt: skip


def arguments(operator: Any) -> dict[str, Any]:
    """The arguments that an operator was made with, by name, defaults included."""
    bound = inspect.signature(type(operator).__init__).bind(operator, *operator._given[0], **operator._given[1])
    bound.apply_defaults()
    return dict(list(bound.arguments.items())[1:])


def sliced(operator: Any, slices: Any) -> Any:
    """The operator whose batch is a slice of another's. NotImplementedError for a class that does not say what it is made of."""
    if not isinstance(slices, tuple):
        slices = (slices,)
    return _sliced(operator, slices, operator.batch_shape)


def _sliced(operator: Any, slices: tuple[Any, ...], batch: Any) -> Any:
    given = arguments(operator)
    kind = next((c.__name__ for c in type(operator).__mro__ if c.__name__ in _NDIMS or c.__name__ in _OTHER), None)
    if kind is None:
        raise NotImplementedError(f"{type(operator).__name__} does not say which of its arguments have batch dimensions, so it cannot be sliced")
    if kind in _OTHER:
        shape = given.get("batch_shape")
        if shape is not None:
            given["batch_shape"] = tf.shape(_part(tf.ones(shape), 0, slices, batch))
        elif len(_wanted(slices, 0)) > 0:
            raise IndexError(f"{operator!r} has no batch dimensions to slice")
        return type(operator)(**given)
    for name, n in _NDIMS[kind].items():
        n = 1 if given.get("diagonals_format") == "sequence" else n
        given[name] = _mapped(given[name], n, slices, batch)
    return type(operator)(**given)


#: these have the shape of a batch for an argument
_OTHER = frozenset(("LinearOperatorIdentity", "LinearOperatorZeros"))


def _mapped(value: Any, ndims: int, slices: tuple[Any, ...], batch: Any) -> Any:
    from .base import LinearOperator

    if value is None:
        return None
    if isinstance(value, LinearOperator):
        return _sliced(value, slices, batch)
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (LinearOperator, tf.Tensor, list, tuple)):
        if ndims == 0 or isinstance(value[0], tf.Tensor):
            return [_mapped(v, ndims, slices, batch) for v in value]
    return _part(tf.convert_to_tensor(value), ndims, slices, batch)


def _wanted(slices: tuple[Any, ...], rank: int) -> list[Any]:
    """A slice for each batch dimension, new axes between them."""
    used = sum(s is not None and s is not Ellipsis for s in slices)
    if not any(s is Ellipsis for s in slices):
        slices = (*slices, Ellipsis)
    out: list[Any] = []
    for s in slices:
        if s is Ellipsis:
            out += [slice(None)] * max(0, rank - used)
        else:
            out.append(s)
    return out


def _part(tensor: Any, ndims: int, slices: tuple[Any, ...], batch: Any) -> Any:
    """A slice of a tensor whose batch may be broadcast."""
    rank = batch.rank
    missing = rank - (tensor.shape.rank - ndims)
    sizes = [1] * missing + tensor.shape.as_list()
    if missing:
        tensor = tf.reshape(tensor, tf.concat([[1] * missing, tf.shape(tensor)], 0))
    out: list[Any] = []
    axis = 0
    for s in _wanted(slices, rank):
        if s is None:
            out.append(None)
            continue
        if axis < rank and sizes[axis] == 1 and batch[axis] != 1:
            s = slice(None) if isinstance(s, slice) else 0
        out.append(s)
        axis += 1
    return tensor[(*out, *([slice(None)] * ndims))]
