"""`tf.keras.Input` and `tf.keras.layers.InputLayer`: where functional models begin."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import dtypes
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.specs import TensorSpec
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable
from tf2compat.ragged.ragged_tensor import RaggedTensor
from tf2compat.ragged.spec import RaggedTensorSpec
from tf2compat.sparse.sparse_tensor import SparseTensor, SparseTensorSpec

from . import naming
from .config import settings
from .connections import Node
from .layer import Layer
from .symbolic import KerasTensor


def _plain_shape(shape: Any) -> tuple[int | None, ...]:
    if isinstance(shape, TensorShape):
        return tuple(shape.as_list())
    if isinstance(shape, int):
        return (shape,)
    return tuple(None if d is None else int(d) for d in shape)


def _ragged_rank(shape: TensorShape) -> int:
    """Ragged dimensions reach from the second to the last unknown one."""
    dims = shape.as_list()
    return max((i for i, d in enumerate(dims) if i and d is None), default=1)


def _like(x: Any) -> KerasTensor:
    """A symbol for tensors like `x`. ValueError where `x` is no tensor."""
    if not hasattr(type(x), "_tf_storage") and not isinstance(x, (Tensor, Variable, RaggedTensor, SparseTensor)):
        raise ValueError(f"`input_tensor` must be a tensor, got {x!r}")
    if isinstance(x, RaggedTensor):
        made = KerasTensor(x.shape, x.dtype)
        made._ragged, made._splits = x.ragged_rank, x.row_splits.dtype
        return made
    made = KerasTensor(x.shape, x.dtype, name=x.name if isinstance(x, Variable) else None)
    made._sparse = isinstance(x, SparseTensor)
    return made


class InputLayer(Layer):
    """The layer behind an `Input` (`tf.keras.layers.InputLayer`). ValueError for contradictory arguments."""

    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        input_tensor: Any = None,
        sparse: bool | None = None,
        name: str | None = None,
        ragged: bool | None = None,
        type_spec: Any = None,
        optional: bool = False,
        **kwargs: Any,
    ) -> None:
        batch_input_shape = kwargs.pop("batch_input_shape", kwargs.pop("batch_shape", None))
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {list(kwargs)}")
        if sparse and ragged:
            raise ValueError("Cannot set both sparse and ragged to True in a Keras input.")
        if batch_input_shape is not None and input_shape is not None:
            raise ValueError("Only provide the input_shape OR batch_input_shape argument to InputLayer, not both at the same time.")
        if batch_input_shape is not None:
            batch_size, input_shape = batch_input_shape[0], tuple(batch_input_shape[1:])
        if type_spec is not None:
            others = {
                "(input_)shape": input_shape, "batch_size": batch_size, "dtype": dtype, "sparse": sparse, "ragged": ragged, "(input_)tensor": input_tensor,
            }  # fmt: skip
            for what, value in others.items():
                if value is not None:
                    raise ValueError(f"When `type_spec` is not None, all other args except `name` must be None, but {what} is not None.")
        composite = type_spec if type_spec is not None and not isinstance(type_spec, TensorSpec) else None
        if type_spec is not None:
            known = getattr(type_spec, "shape", TensorShape(None))
            dtype = getattr(type_spec, "dtype", None)
            ragged, sparse = ragged or isinstance(type_spec, RaggedTensorSpec), sparse or isinstance(type_spec, SparseTensorSpec)
            if known.rank:
                batch_size, input_shape = known[0], tuple(known.as_list()[1:])
        if input_tensor is not None:
            if not hasattr(type(input_tensor), "_is_keras_tensor"):
                input_tensor = _like(input_tensor)
            if dtype is not None and dtypes.as_dtype(dtype) is not input_tensor.dtype:
                raise ValueError(
                    f"`input_tensor.dtype` differs from `dtype`. Received: input_tensor.dtype={input_tensor.dtype} but expected dtype={dtype}"
                )
            dtype = input_tensor.dtype
            sparse, ragged = sparse or input_tensor._sparse, ragged or input_tensor._ragged
            whole: Any = None if input_tensor.shape.rank is None else tuple(input_tensor.shape.as_list())
        elif input_shape is None:
            whole = () if type_spec is not None and known.rank == 0 else None
        else:
            whole = (batch_size, *_plain_shape(input_shape))
        dtype = dtypes.as_dtype(dtype or settings.floatx)
        named = getattr(type_spec, "name", None) if name is None else None
        if name is None:
            name = naming.unique("input", zero_based=False)
        super().__init__(dtype=dtype.name, name=name)
        d = self.__dict__
        d["built"] = True
        d["_supports_masking"] = True
        d["sparse"] = bool(sparse)
        d["ragged"] = bool(ragged)
        d["optional"] = bool(optional)
        d["batch_size"] = batch_size
        d["is_placeholder"] = input_tensor is None
        d["_batch_input_shape"] = whole
        if input_tensor is None:
            input_tensor = KerasTensor(TensorShape(whole), dtype, name=named or name)
            input_tensor._sparse = bool(sparse)
            if ragged and isinstance(type_spec, RaggedTensorSpec):
                input_tensor._ragged, input_tensor._splits = type_spec.ragged_rank, type_spec.row_splits_dtype
            elif ragged:
                input_tensor._ragged = _ragged_rank(input_tensor.shape)
            if composite is not None and not (ragged or sparse):
                input_tensor._composite = composite
        Node(self, (), {}, input_tensor)

    @property
    def input_shape(self) -> Any:
        """A list of the one shape, as Keras has it for input layers."""
        return [self._shared_shape("input")]

    @property
    def output_shape(self) -> Any:
        return [self._shared_shape("output")]

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_input_shape": self._batch_input_shape, "dtype": self.dtype, "sparse": self.sparse, "ragged": self.ragged,
            "name": self.name, "optional": self.optional,
        }  # fmt: skip


def Input(  # noqa: N802 - TensorFlow's name
    shape: Any = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    tensor: Any = None,
    ragged: bool | None = None,
    type_spec: Any = None,
    optional: bool = False,
    **kwargs: Any,
) -> Any:
    """A symbolic tensor to build functional models from (`tf.keras.Input`).

    `shape` is without the batch's size. None may be fed to an `optional` input. ValueError without a shape, tensor or type_spec, or
    for unknown keywords.
    """
    if sparse and ragged:
        raise ValueError("Cannot set both `sparse` and `ragged` to `True` in a TF-Keras `Input`.")
    batch_shape = kwargs.pop("batch_input_shape", kwargs.pop("batch_shape", None))
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments passed to `Input`: {kwargs}")
    if batch_shape is not None and shape is not None:
        raise ValueError("Only provide the `shape` OR `batch_input_shape` argument to Input, not both at the same time.")
    if batch_shape is not None:
        batch_size, shape = batch_shape[0], tuple(batch_shape[1:])
    if shape is None and tensor is None and type_spec is None:
        raise ValueError(
            "Please provide to Input a `shape` or a `tensor` or a `type_spec` argument. Note that `shape` does not include the batch "
            "dimension."
        )
    layer = InputLayer(
        input_shape=shape, batch_size=batch_size, name=name, dtype=dtype, sparse=sparse, ragged=ragged, input_tensor=tensor,
        type_spec=type_spec, optional=optional,
    )  # fmt: skip
    return layer._inbound[0].outputs
