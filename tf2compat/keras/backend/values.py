"""Variables, values and what is known about tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

import tf2compat as tf

from .._base.config import settings


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Any:
    """A variable (`tf.keras.backend.variable`)."""
    if hasattr(value, "tocoo"):  # scipy's sparse matrices
        found = value.tocoo()
        indices = np.stack([found.row, found.col], 1)
        return tf.sparse.reorder(tf.SparseTensor(indices, found.data.astype(tf.as_dtype(dtype or settings.floatx).as_numpy_dtype), found.shape))
    return tf.Variable(value, dtype=tf.as_dtype(dtype or settings.floatx), name=name, constraint=constraint)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A constant of `floatx` unless another dtype is given (`tf.keras.backend.constant`)."""
    return tf.constant(value, dtype=dtype or settings.floatx, shape=shape, name=name)


def placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, sparse: bool = False, name: str | None = None, ragged: bool = False
) -> Any:
    """A symbolic tensor of a shape that includes the batch (`tf.keras.backend.placeholder`)."""
    from .._base.input_layer import Input

    if sparse and ragged:
        raise ValueError("Cannot set both sparse and ragged to True when creating a placeholder.")
    if not shape and ndim:
        shape = (None,) * ndim
    if not shape:  # a scalar, or of unknown rank
        return Input(type_spec=tf.TensorSpec(shape, dtype or settings.floatx), name=name)
    return Input(batch_shape=tuple(shape), dtype=dtype or settings.floatx, sparse=sparse, ragged=ragged, name=name)


def is_keras_tensor(x: Any) -> bool:
    """Whether x comes from `Input` or a layer called on it; ValueError for no tensor (`tf.keras.backend.is_keras_tensor`)."""
    if hasattr(type(x), "_is_keras_tensor"):
        return True
    if not isinstance(x, (tf.Tensor, tf.Variable)):
        raise ValueError(f"Unexpectedly found an instance of type `{type(x)}`. Expected a symbolic tensor instance.")
    return False


def is_sparse(tensor: Any) -> bool:
    """Whether a tensor is sparse (`tf.keras.backend.is_sparse`)."""
    return type(tensor).__name__ == "SparseTensor" or bool(getattr(tensor, "_sparse", False))


def to_dense(tensor: Any) -> Any:
    """A sparse tensor as a dense one (`tf.keras.backend.to_dense`)."""
    return tf.sparse.to_dense(tensor) if is_sparse(tensor) else tensor


def shape(x: Any) -> Any:
    """The shape as a tensor (`tf.keras.backend.shape`)."""
    return tf.shape(x)


def int_shape(x: Any) -> Any:
    """The static shape as a tuple, or None (`tf.keras.backend.int_shape`)."""
    try:
        found = x.shape
        return tuple(found) if not isinstance(found, tf.TensorShape) else tuple(found.as_list())
    except ValueError:
        return None


def ndim(x: Any) -> Any:
    """The rank (`tf.keras.backend.ndim`)."""
    return tf.TensorShape(x.shape).rank


def dtype(x: Any) -> str:
    """The dtype's name (`tf.keras.backend.dtype`)."""
    return tf.as_dtype(x.dtype).name


def eval(x: Any) -> Any:  # noqa: A001
    """The value as an array (`tf.keras.backend.eval`)."""
    return get_value(to_dense(x))


def get_value(x: Any) -> Any:
    """The value of a variable or tensor (`tf.keras.backend.get_value`)."""
    return x.numpy() if hasattr(x, "numpy") else x


def batch_get_value(tensors: Any) -> list[Any]:
    """The values of variables (`tf.keras.backend.batch_get_value`)."""
    return [get_value(x) for x in tensors]


def set_value(x: Any, value: Any) -> None:
    """Set a variable (`tf.keras.backend.set_value`)."""
    x.assign(np.asarray(value, dtype=x.dtype.as_numpy_dtype))


def batch_set_value(tuples: Any) -> None:
    """Set variables from (variable, value) pairs (`tf.keras.backend.batch_set_value`)."""
    for x, value in tuples:
        set_value(x, value)


def count_params(x: Any) -> int:
    """The number of scalars in a variable (`tf.keras.backend.count_params`)."""
    return int(np.prod(x.shape.as_list()))


def update(x: Any, new_x: Any) -> Any:
    """x = new_x (`tf.keras.backend.update`)."""
    return x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """x += increment (`tf.keras.backend.update_add`)."""
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """x -= decrement (`tf.keras.backend.update_sub`)."""
    return x.assign_sub(decrement)


def moving_average_update(x: Any, value: Any, momentum: Any) -> Any:
    """x = x * momentum + value * (1 - momentum) (`tf.keras.backend.moving_average_update`)."""
    return x.assign_sub((x - tf.cast(value, x.dtype)) * (1.0 - momentum))


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of zeros (`tf.keras.backend.zeros`)."""
    return tf.Variable(tf.zeros(shape, tf.as_dtype(dtype or settings.floatx)), name=name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of ones (`tf.keras.backend.ones`)."""
    return tf.Variable(tf.ones(shape, tf.as_dtype(dtype or settings.floatx)), name=name)


def eye(size: int, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of the identity matrix (`tf.keras.backend.eye`)."""
    return tf.Variable(tf.eye(size, dtype=tf.as_dtype(dtype or settings.floatx)), name=name)


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Any:
    """A variable of uniform numbers (`tf.keras.backend.random_uniform_variable`)."""
    seed = int(np.random.randint(1_000_000_000)) if seed is None else seed
    value = tf.random.uniform(shape, low, high, dtype=tf.as_dtype(dtype or settings.floatx), seed=seed)
    return tf.Variable(value, name=name)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Any:
    """A variable of normal numbers (`tf.keras.backend.random_normal_variable`)."""
    seed = int(np.random.randint(1_000_000_000)) if seed is None else seed
    value = tf.random.normal(shape, mean, scale, dtype=tf.as_dtype(dtype or settings.floatx), seed=seed)
    return tf.Variable(value, name=name)


def gradients(loss: Any, variables: Any) -> Any:
    """RuntimeError, as in eager Keras: use a GradientTape (`tf.keras.backend.gradients`)."""
    return tf.gradients(loss, variables)


def function(inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **kwargs: Any) -> Any:
    """A function from arrays to the values of a functional graph's outputs (`tf.keras.backend.function`)."""
    from .._base.model import Model

    if kwargs:
        raise ValueError(f"Session keyword arguments are not supported during eager execution. You passed: {kwargs}")
    if updates:
        raise ValueError("`updates` argument is not supported during eager execution. You passed: {}".format(updates))
    inner = Model(inputs=inputs, outputs=outputs, name=name)
    alone = isinstance(outputs, list) and len(outputs) == 1

    def value(t: Any) -> Any:
        array = t.numpy() if isinstance(t, tf.Tensor) else t  # ragged and sparse tensors stay what they are
        return array.item() if isinstance(array, (np.ndarray, np.generic)) and not array.ndim else array

    def run(given: Any) -> Any:
        found = inner(given)
        return tf.nest.map_structure(value, [found] if alone else found)

    return run


def print_tensor(x: Any, message: str = "", summarize: int = 3) -> Any:
    """Print a tensor and give it on (`tf.keras.backend.print_tensor`)."""
    tf.print(message, x, summarize=summarize)
    return x


def name_scope(name: str) -> Any:
    """A name scope (`tf.keras.backend.name_scope`)."""
    return tf.name_scope(name)
