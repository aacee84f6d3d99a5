"""Layers that merge several inputs into one."""

from __future__ import annotations

import functools
import operator
from typing import Any

import torch

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS, NUMBERS
from tf2compat._engine.narrow import in_single
from tf2compat._engine.op import op, tensor, tensors
from tf2compat._engine.shapes import TensorShape

from .._base.layer import Layer


def _is_shape_list(shape: Any) -> bool:
    return isinstance(shape, (list, tuple)) and bool(shape) and (shape[0] is None or isinstance(shape[0], (list, tuple, TensorShape)))


def _as_tuple(shape: Any) -> Any:
    return tuple(TensorShape(shape).as_list())


@op("MergeSum", inputs=tensors(NUMBERS))
def _sum(inputs: Any) -> Any:
    total = inputs[0] + inputs[1] if len(inputs) > 1 else inputs[0] * 1
    for x in inputs[2:]:
        total = total + x
    return total


@op("MergeProduct", inputs=tensors(NUMBERS))
def _product(inputs: Any) -> Any:
    total = inputs[0] * inputs[1] if len(inputs) > 1 else inputs[0] * 1
    for x in inputs[2:]:
        total = total * x
    return total


def _total(inputs: Any) -> Any:
    return _sum(inputs) if _plain(inputs) else functools.reduce(lambda a, b: a + b, inputs)


def _plain(inputs: Any) -> bool:
    return not any(isinstance(x, (tf.RaggedTensor, tf.SparseTensor)) for x in inputs)


def _truth(mask: Any) -> Any:
    return mask if mask.dtype is tf.bool else tf.cast(mask, tf.bool)


class _Merge(Layer):
    """An element-wise merge with broadcasting; inputs of fewer dimensions get dimensions of one after the batch."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge_function(self, inputs: Any) -> Any:
        raise NotImplementedError

    def _pairwise(self, a: Any, b: Any) -> Any:
        if a is None or b is None:
            return None
        if len(a) < len(b):
            a, b = b, a
        if not b:
            return a
        found = list(a[: len(a) - len(b)])
        for i, j in zip(a[len(a) - len(b) :], b, strict=True):
            if i is None or j is None:
                found.append(None)
            elif i == 1:
                found.append(j)
            elif j == 1 or i == j:
                found.append(i)
            else:
                raise ValueError(f"Inputs have incompatible shapes. Received shapes {tuple(a)} and {tuple(b)}")
        return tuple(found)

    def build(self, input_shape: Any) -> None:
        """Check the shapes; ValueError for one input or shapes that do not fit."""
        if not _is_shape_list(input_shape):
            raise ValueError(
                f"A merge layer should be called on a list of inputs. Received: input_shape={input_shape} (not a list of shapes)"
            )
        shapes = [_as_tuple(s) for s in input_shape]
        if len(shapes) < 1:
            raise ValueError(
                "A merge layer should be called on a list of at least 1 input. "
                f"Got {len(shapes)} inputs. Full input_shape received: {shapes}"
            )
        batches = {s[0] for s in shapes if s} - {None}
        if len(batches) > 1:
            raise ValueError(f"Cannot merge tensors with different batch sizes. Got tensors with shapes {shapes}")
        merged = shapes[0][1:]
        for s in shapes[1:]:
            merged = self._pairwise(merged, s[1:])
        self._reshape_required = len({len(s) for s in shapes}) != 1
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The merged inputs."""
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"A merge layer should be called on a list of inputs. Received: inputs={inputs} (not a list of tensors)")
        if self._reshape_required:
            most = max(len(x.shape) for x in inputs)
            widened = []
            for x in inputs:
                for _ in range(most - len(x.shape)):
                    x = tf.expand_dims(x, axis=1)
                widened.append(x)
            inputs = widened
        return self._merge_function(list(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the broadcast result."""
        shapes = [_as_tuple(s) for s in input_shape]
        merged = shapes[0][1:]
        for s in shapes[1:]:
            merged = self._pairwise(merged, s[1:])
        batches = {s[0] for s in shapes} - {None}
        return TensorShape([batches.pop() if len(batches) == 1 else None, *merged])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where all masks are True."""
        if mask is None:
            return None
        if not isinstance(mask, (tuple, list)):
            raise ValueError(f"`mask` should be a list. Received: mask={mask}")
        if not isinstance(inputs, (tuple, list)):
            raise ValueError(f"`inputs` should be a list. Received: inputs={inputs}")
        if len(mask) != len(inputs):
            raise ValueError(
                f"The lists `inputs` and `mask` should have the same length. Received: inputs={inputs} of length {len(inputs)}, and "
                f"mask={mask} of length {len(mask)}"
            )
        found = None
        for m in mask:
            if m is not None:
                found = _truth(m) if found is None else tf.logical_and(found, _truth(m))
        return found

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config()


class Add(_Merge):
    """The sum of its inputs (`tf.keras.layers.Add`)."""

    def _merge_function(self, inputs: Any) -> Any:
        return _total(inputs)


class Subtract(_Merge):
    """The first of two inputs less the second (`tf.keras.layers.Subtract`)."""

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"A `Subtract` layer should be called on exactly 2 inputs. Received: input_shape={input_shape}")

    def _merge_function(self, inputs: Any) -> Any:
        if len(inputs) != 2:
            raise ValueError(f"A `Subtract` layer should be called on exactly 2 inputs. Received: inputs={inputs}")
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """The product of its inputs (`tf.keras.layers.Multiply`)."""

    def _merge_function(self, inputs: Any) -> Any:
        return _product(inputs) if _plain(inputs) else functools.reduce(operator.mul, inputs)


class Average(_Merge):
    """The mean of its inputs (`tf.keras.layers.Average`)."""

    def _merge_function(self, inputs: Any) -> Any:
        return _total(inputs) / len(inputs)


class Maximum(_Merge):
    """The maximum of its inputs (`tf.keras.layers.Maximum`)."""

    def _merge_function(self, inputs: Any) -> Any:
        found = inputs[0]
        for x in inputs[1:]:
            found = tf.maximum(found, x)
        return found


class Minimum(_Merge):
    """The minimum of its inputs (`tf.keras.layers.Minimum`)."""

    def _merge_function(self, inputs: Any) -> Any:
        found = inputs[0]
        for x in inputs[1:]:
            found = tf.minimum(found, x)
        return found


class Concatenate(_Merge):
    """Its inputs side by side along `axis` (`tf.keras.layers.Concatenate`)."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        """Check the shapes, which may differ along `axis` only."""
        if not _is_shape_list(input_shape) or len(input_shape) < 1:
            raise ValueError(f"A `Concatenate` layer should be called on a list of at least 1 input. Received: input_shape={input_shape}")
        shapes = [_as_tuple(s) for s in input_shape]
        message = (
            "A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. Received: "
            f"input_shape={shapes}"
        )
        ranks = {len(s) for s in shapes}
        if len(ranks) != 1:
            raise ValueError(message)
        rank = ranks.pop()
        if not -rank <= self.axis < rank:
            raise ValueError(message)
        for i in range(rank):
            if i != self.axis % rank and len({s[i] for s in shapes} - {None}) > 1:
                raise ValueError(message)
        self._reshape_required = False
        self.built = True

    def _merge_function(self, inputs: Any) -> Any:
        if all(isinstance(x, tf.SparseTensor) for x in inputs):
            return tf.sparse.concat(self.axis, inputs)
        return tf.concat(inputs, self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape with the sizes along `axis` added up."""
        if not _is_shape_list(input_shape):
            raise ValueError(f"A `Concatenate` layer should be called on a list of inputs. Received: input_shape={input_shape}")
        shapes = [_as_tuple(s) for s in input_shape]
        found = list(shapes[0])
        for s in shapes[1:]:
            a, b = found[self.axis], s[self.axis]
            found[self.axis] = None if a is None or b is None else a + b
        return TensorShape(found)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks side by side, with True for inputs that have none."""
        if mask is None:
            return None
        if not isinstance(mask, (tuple, list)):
            raise ValueError(f"`mask` should be a list. Received mask={mask}")
        if not isinstance(inputs, (tuple, list)):
            raise ValueError(f"`inputs` should be a list. Received: inputs={inputs}")
        if len(mask) != len(inputs):
            raise ValueError(
                f"The lists `inputs` and `mask` should have the same length. Received: inputs={inputs} of length {len(inputs)}, and "
                f"mask={mask} of length {len(mask)}"
            )
        if all(m is None for m in mask):
            return None
        parts = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                parts.append(tf.ones_like(x, dtype="bool"))
            elif len(m.shape) < len(x.shape):
                parts.append(tf.expand_dims(_truth(m), axis=-1))
            else:
                parts.append(_truth(m))
        return tf.reduce_all(tf.concat(parts, axis=self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config["axis"] = self.axis
        return config


@op("BatchDot", x=tensor(FLOATS), y=tensor(FLOATS))
@in_single
def _dot(x: Any, y: Any, axis_x: int, axis_y: int) -> Any:
    a = x.movedim(axis_x, -1)
    b = y.movedim(axis_y, 1)
    rest_x, rest_y = a.shape[1:-1], b.shape[2:]
    out = torch.bmm(a.reshape(a.shape[0], -1, a.shape[-1]), b.reshape(b.shape[0], b.shape[1], -1))
    out = out.reshape(x.shape[0], *rest_x, *rest_y)
    return out.unsqueeze(1) if out.ndim == 1 else out


class Dot(_Merge):
    """Products of two inputs' samples, summed over `axes` (`tf.keras.layers.Dot`)."""

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(f"Invalid type for argument `axes`: it should be a list or an int. Received: axes={axes}")
            if len(axes) != 2:
                raise ValueError(f"Invalid format for argument `axes`: it should contain two elements. Received: axes={axes}")
            if not isinstance(axes[0], int) or not isinstance(axes[1], int):
                raise ValueError(f"Invalid format for argument `axes`: list elements should be integers. Received: axes={axes}")
        self.axes = axes
        self.normalize = normalize
        self.supports_masking = True
        self._reshape_required = False

    def _places(self, rank1: int, rank2: int) -> tuple[int, int]:
        if isinstance(self.axes, int):
            return (self.axes % rank1, self.axes % rank2) if self.axes < 0 else (self.axes, self.axes)
        return self.axes[0] % rank1, self.axes[1] % rank2

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        if not _is_shape_list(input_shape) or len(input_shape) != 2:
            raise ValueError(f"A `Dot` layer should be called on a list of 2 inputs. Received: input_shape={input_shape}")
        one, two = (_as_tuple(s) for s in input_shape)
        a, b = self._places(len(one), len(two))
        if one[a] is not None and two[b] is not None and one[a] != two[b]:
            raise ValueError(
                f"Incompatible input shapes: axis values {one[a]} (at axis {a}) != {two[b]} (at axis {b}). Full input shapes: {one}, {two}"
            )
        self.built = True

    def _merge_function(self, inputs: Any) -> Any:
        if len(inputs) != 2:
            raise ValueError(f"A `Dot` layer should be called on exactly 2 inputs. Received: inputs={inputs}")
        x, y = inputs
        a, b = self._places(len(x.shape), len(y.shape))
        if self.normalize:
            x, y = tf.math.l2_normalize(x, axis=a), tf.math.l2_normalize(y, axis=b)
        return _dot(x, y, a, b)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The batch, then what is left of both inputs."""
        if not _is_shape_list(input_shape) or len(input_shape) != 2:
            raise ValueError(f"A `Dot` layer should be called on a list of 2 inputs. Received: input_shape={input_shape}")
        one, two = (list(_as_tuple(s)) for s in input_shape)
        a, b = self._places(len(one), len(two))
        one.pop(a)
        two.pop(b)
        two.pop(0)
        found = one + two
        return TensorShape([*found, 1] if len(found) == 1 else found)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"axes": self.axes, "normalize": self.normalize})
        return config


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add` called on inputs (`tf.keras.layers.add`)."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract` called on inputs (`tf.keras.layers.subtract`)."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply` called on inputs (`tf.keras.layers.multiply`)."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average` called on inputs (`tf.keras.layers.average`)."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum` called on inputs (`tf.keras.layers.maximum`)."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum` called on inputs (`tf.keras.layers.minimum`)."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate` called on inputs (`tf.keras.layers.concatenate`)."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any, normalize: bool = False, **kwargs: Any) -> Any:
    """`Dot` called on inputs (`tf.keras.layers.dot`)."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
