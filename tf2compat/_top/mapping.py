"""`tf.map_fn`: a function on each slice, its results stacked into tensors, ragged and sparse tensors, extension types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._engine import dtypes, nest
from .._engine.convert import convert_to_tensor
from .._engine.shapes import TensorShape
from .._engine.specs import NoneTensorSpec, TensorSpec, TypeSpec
from .._engine.tensor import Tensor
from .tensor_array import TensorArray

__all__ = ["element_of", "leading", "map_fn", "value_of"]


def value_of(value: Any) -> Any:
    """A tensor, or a composite as it is."""
    return value if hasattr(type(value), "_tf_components") or value is None else convert_to_tensor(value)


def element_of(value: Any, index: Any) -> Any:
    """Slice `index` along the first axis."""
    row = getattr(value, "_tf_row", None)
    return value[index] if row is None else row(index)


def leading(flat: list[Any]) -> Any:
    """The number of slices: an int, or a scalar tensor where it is not known."""
    known: Any = None
    for t in flat:
        if not isinstance(t, Tensor):
            counted = t._tf_rows() if hasattr(t, "_tf_rows") else t.nrows()
            size = counted if isinstance(counted, int) else _static(counted)
        else:
            if t.shape.rank == 0:
                raise ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars")
            size = t.shape[0] if t.shape.rank else None
        if size is not None and known is not None and size != known:
            raise ValueError(f"Dimensions {known} and {size} are not compatible")
        known = size if known is None else known
    if known is not None:
        return known
    first = flat[0]
    if not isinstance(first, Tensor):
        return _int32(first._tf_rows() if hasattr(first, "_tf_rows") else first.nrows())
    from .shaping import shape

    return shape(first)[0]


def _static(value: Any) -> int | None:
    from .calling import get_static_value

    found = get_static_value(value)
    return None if found is None else int(found)


def _int32(value: Any) -> Any:
    from tf2compat import cast

    return cast(value, dtypes.int32)


class _Stacked:
    """How the rows of one result are kept: one array of tensors, which are stacked."""

    def __init__(self, dtype: Any, shape: Any, n: Any, infer_shape: bool) -> None:
        self.n = n
        self.arrays = [TensorArray(dtype, size=n, element_shape=shape, infer_shape=infer_shape)]

    def parts(self, value: Any) -> list[Any]:
        return [value]

    def together(self, arrays: list[TensorArray]) -> Any:
        t = arrays[0].stack()
        if isinstance(self.n, int) and t.shape.rank is not None:
            t.set_shape(TensorShape([self.n]).concatenate(t.shape[1:]))
        return t


class _Joined:
    """Rows of a ragged tensor: flat values, and the lengths at each level, one after the other."""

    def __init__(self, spec: Any, n: Any) -> None:
        self.spec = spec
        kind = spec.row_splits_dtype
        inner = None if spec.shape.rank is None else [None, *spec.shape.as_list()[spec.ragged_rank + 1 :]]
        self.arrays = [TensorArray(spec.dtype, size=n, element_shape=inner, infer_shape=False), TensorArray(kind, size=n, element_shape=[])]
        self.arrays += [TensorArray(kind, size=n, element_shape=[None], infer_shape=False) for _ in range(spec.ragged_rank)]

    def parts(self, value: Any) -> list[Any]:
        from ..ragged import RaggedTensor
        from .shaping import shape

        kind, rank = self.spec.row_splits_dtype, self.spec.ragged_rank
        if rank == 0 and isinstance(value, RaggedTensor):
            raise ValueError(f"fn returned a ragged tensor of shape {value.shape} where {self.spec} was expected")
        if rank and not isinstance(value, RaggedTensor):
            value = RaggedTensor.from_tensor(convert_to_tensor(value), ragged_rank=rank, row_splits_dtype=kind)
        if rank == 0:
            t = convert_to_tensor(value)
            return [t, shape(t, out_type=kind)[0]]
        if value.ragged_rank != rank or value.dtype is not self.spec.dtype:
            raise ValueError(f"fn returned {value._type_spec} where {self.spec} was expected")
        value = value.with_row_splits_dtype(kind)
        return [value.flat_values, value.nrows(), *value.nested_row_lengths()]

    def together(self, arrays: list[TensorArray]) -> Any:
        from ..ragged import RaggedTensor

        out: Any = arrays[0].concat()
        for lengths in reversed(arrays[2:]):
            out = RaggedTensor.from_row_lengths(out, lengths.concat(), validate=False)
        return RaggedTensor.from_row_lengths(out, arrays[1].stack(), validate=False)


class _Sparse:
    """Rows of a sparse tensor; the largest of each dimension counts."""

    def __init__(self, spec: Any, n: Any) -> None:
        self.n, rank = n, spec.shape.rank
        self.arrays = [
            TensorArray(dtypes.int64, size=n, element_shape=[None, rank], infer_shape=False),
            TensorArray(spec.dtype, size=n, element_shape=[None], infer_shape=False), TensorArray(dtypes.int64, size=n, element_shape=[rank]),
            TensorArray(dtypes.int64, size=n, element_shape=[]),
        ]  # fmt: skip

    def parts(self, value: Any) -> list[Any]:
        from .shaping import shape

        return [value.indices, value.values, value.dense_shape, shape(value.values, out_type=dtypes.int64)[0]]

    def together(self, arrays: list[TensorArray]) -> Any:
        import tf2compat as tf

        counts = arrays[3].stack()
        rows = tf.repeat(tf.range(tf.size(counts, dtypes.int64)), counts)
        dims = tf.concat([tf.cast(tf.reshape(self.n, [1]), dtypes.int64), tf.reduce_max(arrays[2].stack(), 0)], 0)
        return tf.SparseTensor(tf.concat([rows[:, None], arrays[0].concat()], 1), arrays[1].concat(), dims)


class _Encoded:
    """Rows of a batchable extension type, by its encoder."""

    def __init__(self, spec: Any, n: Any, infer_shape: bool) -> None:
        self.spec, self.n = spec, n
        self.specs = spec.__batch_encoder__.encoding_specs(spec)
        self.kept = [_kept(s, n, infer_shape) for s in nest.flatten(self.specs)]
        self.arrays = [a for k in self.kept for a in k.arrays]

    def parts(self, value: Any) -> list[Any]:
        encoded = nest.flatten(self.spec.__batch_encoder__.encode(value._type_spec, value))
        return [p for k, v in zip(self.kept, encoded, strict=True) for p in k.parts(v)]

    def together(self, arrays: list[TensorArray]) -> Any:
        encoder = self.spec.__batch_encoder__
        n = self.n if isinstance(self.n, int) else None
        return encoder.decode(encoder.batch(self.spec, n), nest.pack_sequence_as(self.specs, _together(self.kept, arrays)))


def _kept(spec: Any, n: Any, infer_shape: bool) -> Any:
    from ..ragged import RaggedTensorSpec
    from ..sparse import SparseTensorSpec

    if isinstance(spec, RaggedTensorSpec):
        return _Joined(spec, n)
    if isinstance(spec, SparseTensorSpec):
        return _Sparse(spec, n)
    if hasattr(type(spec), "__batch_encoder__"):
        return _Encoded(spec, n, infer_shape)
    if isinstance(spec, NoneTensorSpec):
        return _Nothing()
    if isinstance(spec, TypeSpec) and not isinstance(spec, TensorSpec):
        raise TypeError(f"tf.map_fn cannot stack results of {spec!r}: they are no batchable type.")
    if hasattr(spec, "shape") and hasattr(spec, "dtype"):
        return _Stacked(spec.dtype, spec.shape, n, infer_shape)
    return _Stacked(dtypes.as_dtype(spec), None, n, infer_shape)


class _Nothing:
    arrays: list[TensorArray] = []

    def parts(self, value: Any) -> list[Any]:
        return []

    def together(self, arrays: list[TensorArray]) -> None:
        return None


def _together(kept: list[Any], arrays: list[TensorArray]) -> list[Any]:
    out, at = [], 0
    for k in kept:
        out.append(k.together(arrays[at : at + len(k.arrays)]))
        at += len(k.arrays)
    return out


def _default(elem: Any) -> Any:
    """What a result has to be where nothing is said: the kind of the elements."""
    return elem.dtype if isinstance(elem, Tensor) else elem._type_spec._unbatch()


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """`fn` applied to each slice of `elems` along the first axis, the results stacked (`tf.map_fn`).

    `fn_output_signature`: dtypes or specs of the results where they differ from `elems`. A RaggedTensorSpec stacks results of
    different lengths into a ragged tensor.
    """
    from .control_flow import _converted, while_loop

    if not callable(fn):
        raise TypeError(f"The provided function {fn.__name__ if hasattr(fn, '__name__') else fn!r} is not callable.")
    elems = nest.map_structure(value_of, elems)
    flat = nest.flatten(elems)
    if not flat:
        raise ValueError("elems must be a Tensor or (possibly nested) sequence of Tensors. Got an empty structure.")
    wanted = fn_output_signature if fn_output_signature is not None else dtype
    n = leading(flat)
    template = wanted if wanted is not None else nest.map_structure(_default, elems)
    kept = [_kept(s, n, infer_shape) for s in nest.flatten(template)]
    fn = _converted(fn)

    def body(i: Any, *carried: Any) -> Any:
        result = fn(nest.map_structure(lambda t: element_of(t, i), elems))
        nest.assert_same_structure(template, result, check_types=False) if wanted is not None else nest.assert_same_structure(elems, result)
        parts = [p for k, v in zip(kept, nest.flatten(result), strict=True) for p in k.parts(v)]
        return (i + 1, *[a.write(i, v) for a, v in zip(carried, parts, strict=True)])

    arrays = [a for k in kept for a in k.arrays]
    out = while_loop(lambda i, *c: i < n, body, (convert_to_tensor(0), *arrays), back_prop=back_prop)
    return nest.pack_sequence_as(template, _together(kept, list(out[1:])))
