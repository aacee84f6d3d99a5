"""`tf.keras.initializers`: how weights begin."""

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any

import numpy as np
import torch

import tf2compat as tf
from tf2compat._engine import dtypes
from tf2compat._engine.devices import current
from tf2compat._engine.tensor import Tensor, wrap
from tf2compat.random.seeding import Stream

from .._base.config import settings
from .._base.seeds import draw
from .._base.serialization import from_module, serialize_keras_object, serialize_legacy

_ALLOWED = ("partition_shape", "partition_offset", "layout")


class Initializer:
    """The class that initializers inherit from: `__call__(shape, dtype)` gives the first value (`tf.keras.initializers.Initializer`)."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An initializer made from what `get_config` returned."""
        config = dict(config)
        config.pop("dtype", None)
        return cls(**config)

    def _numbers(self, kwargs: dict[str, Any]) -> Any:
        """What to draw from: a seed of TensorFlow's stateless ops, or a stream where no seed of the program decides.

        Every call of one initializer draws the same numbers.
        """
        seed = getattr(self, "seed", None)
        exact = True
        if seed is None:
            if getattr(self, "_used", False):
                warnings.warn(
                    f"The initializer {type(self).__name__} is unseeded and being called multiple times, which will return identical values "
                    "each time (even if the initializer is unseeded). Please update your code to provide a seed to the initializer, or "
                    "avoid using the same initializer instance more than once.",
                    stacklevel=4,
                )
            else:
                self._used = True
            drawn = self.__dict__.get("_drawn")
            if drawn is None:
                drawn = self.__dict__["_drawn"] = draw()
            seed, exact = drawn
        offset = kwargs.get("partition_offset")
        if not offset:
            return [int(seed), 0] if exact else Stream((0, int(seed)))
        nonce = hash(tuple(offset))  # each part of a variable has numbers of its own
        if exact:
            return tf.random.experimental.stateless_fold_in([int(seed), 0], nonce).numpy().tolist()
        return Stream((nonce & 0x7FFFFFFF, int(seed)))


def _options(initializer: Initializer, kwargs: dict[str, Any], partitions: bool = True) -> None:
    unknown = [k for k in kwargs if k not in _ALLOWED]
    if unknown:
        raise TypeError(f"Unknown keyword arguments: {unknown}. Allowed keyword arguments: {list(_ALLOWED)}.")
    if not partitions and ("partition_shape" in kwargs or "partition_offset" in kwargs):
        raise ValueError(
            f"{type(initializer).__name__} initializer doesn't support partition-related arguments. Received: kwargs={kwargs}"
        )


def _sizes(shape: Any, kwargs: dict[str, Any] | None = None) -> tuple[int, ...]:
    if kwargs and kwargs.get("partition_shape") is not None:
        shape = kwargs["partition_shape"]
    if isinstance(shape, tf.TensorShape):
        return tuple(shape.as_list())
    if isinstance(shape, Tensor):
        return tuple(int(d) for d in shape.numpy().reshape(-1))
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    return tuple(int(d) for d in shape)


def _dtype(dtype: Any) -> dtypes.DType:
    return dtypes.as_dtype(settings.floatx if dtype is None else dtype)


def _floating(dtype: Any) -> dtypes.DType:
    found = _dtype(dtype)
    if not found.is_floating:
        raise ValueError(f"Expected floating point type, got {found!r}.")
    return found


def _normal(sizes: tuple[int, ...], mean: float, stddev: float, dtype: dtypes.DType, numbers: Any) -> Any:
    if type(numbers) is list:
        return tf.random.stateless_normal(sizes, numbers, mean, stddev, dtype)
    device = current()
    t = torch.empty(sizes, dtype=dtype.torch, device=device)
    return wrap(t.normal_(mean, stddev, generator=numbers.generator(device)))


def _uniform(sizes: tuple[int, ...], low: float, high: float, dtype: dtypes.DType, numbers: Any) -> Any:
    if type(numbers) is list:
        return tf.random.stateless_uniform(sizes, numbers, low, high, dtype)
    device = current()
    t = torch.empty(sizes, dtype=dtype.torch, device=device)
    return wrap(t.uniform_(low, high, generator=numbers.generator(device)))


def _truncated(sizes: tuple[int, ...], mean: float, stddev: float, dtype: dtypes.DType, numbers: Any) -> Any:
    if type(numbers) is list:
        return tf.random.stateless_truncated_normal(sizes, numbers, mean, stddev, dtype)
    from tf2compat.random.stateful import standard_truncated_normal

    t = standard_truncated_normal(sizes, dtype, numbers)._t
    return wrap(t * stddev + mean)


class Zeros(Initializer):
    """All zeros (`tf.keras.initializers.Zeros`)."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """Zeros of `shape`; ValueError for strings."""
        _options(self, kwargs)
        found = _dtype(dtype)
        if not found.is_numpy_compatible or found is dtypes.string:
            raise ValueError(f"Expected numeric or boolean dtype, got {found!r}.")
        return tf.zeros(_sizes(shape, kwargs), found)


class Ones(Initializer):
    """All ones (`tf.keras.initializers.Ones`)."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """Ones of `shape`; ValueError for strings."""
        _options(self, kwargs)
        found = _dtype(dtype)
        if not found.is_numpy_compatible or found is dtypes.string:
            raise ValueError(f"Expected numeric or boolean dtype, got {found!r}.")
        return tf.ones(_sizes(shape, kwargs), found)


class Constant(Initializer):
    """One value everywhere, or the values given (`tf.keras.initializers.Constant`)."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """`value` in `shape`."""
        _options(self, kwargs)
        return tf.constant(self.value, dtype=_dtype(dtype), shape=_sizes(shape, kwargs))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"value": self.value}


class RandomUniform(Initializer):
    """Uniform between `minval` and `maxval` (`tf.keras.initializers.RandomUniform`)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """Numbers of `shape`; ValueError for a dtype that is neither float nor integer."""
        _options(self, kwargs)
        found = _dtype(dtype)
        if not found.is_floating and not found.is_integer:
            raise ValueError(f"Expected float or integer dtype, got {found!r}.")
        sizes, numbers = _sizes(shape, kwargs), self._numbers(kwargs)
        if found.is_integer:
            if type(numbers) is list:
                return tf.random.stateless_uniform(sizes, numbers, int(self.minval), int(self.maxval), found)
            device = current()
            t = torch.randint(int(self.minval), int(self.maxval), sizes, dtype=found.torch, device=device, generator=numbers.generator(device))
            return wrap(t)
        return _uniform(sizes, float(self.minval), float(self.maxval), found, numbers)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class RandomNormal(Initializer):
    """Normal with `mean` and `stddev` (`tf.keras.initializers.RandomNormal`)."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """Numbers of `shape`; ValueError for a dtype that is no float."""
        _options(self, kwargs)
        found = _floating(dtype)
        return _normal(_sizes(shape, kwargs), float(self.mean), float(self.stddev), found, self._numbers(kwargs))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class TruncatedNormal(RandomNormal):
    """Normal within two deviations of the mean (`tf.keras.initializers.TruncatedNormal`)."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """Numbers of `shape`; ValueError for a dtype that is no float."""
        _options(self, kwargs)
        found = _floating(dtype)
        return _truncated(_sizes(shape, kwargs), float(self.mean), float(self.stddev), found, self._numbers(kwargs))


def compute_fans(sizes: tuple[int, ...]) -> tuple[int, int]:
    """The number of inputs and outputs of a weight of these sizes; leading dimensions are a receptive field."""
    if len(sizes) < 1:
        return 1, 1
    if len(sizes) == 1:
        return sizes[0], sizes[0]
    field = math.prod(sizes[:-2])
    return sizes[-2] * field, sizes[-1] * field


class VarianceScaling(Initializer):
    """A spread that follows the number of inputs or outputs (`tf.keras.initializers.VarianceScaling`)."""

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: int | None = None
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive float. Received: scale={scale}.")
        modes = {"fan_in", "fan_out", "fan_avg"}
        if mode not in modes:
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of the {modes}.")
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        known = {"uniform", "truncated_normal", "untruncated_normal"}
        if distribution not in known:
            raise ValueError(f"Invalid `distribution` argument: {distribution}.Allowed distributions: {known}.")
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """Numbers of `shape`; ValueError for a dtype that is no float."""
        _options(self, kwargs)
        found = _floating(dtype)
        fan_in, fan_out = compute_fans(_sizes(shape, kwargs))
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        scale = self.scale / max(1.0, count)
        sizes, numbers = _sizes(shape, kwargs), self._numbers(kwargs)
        if self.distribution == "truncated_normal":
            # the deviation of a normal cut off at two deviations is this much smaller
            return _truncated(sizes, 0.0, math.sqrt(scale) / 0.87962566103423978, found, numbers)
        if self.distribution == "untruncated_normal":
            return _normal(sizes, 0.0, math.sqrt(scale), found, numbers)
        limit = math.sqrt(3.0 * scale)
        return _uniform(sizes, -limit, limit, found, numbers)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


class _Seeded(VarianceScaling):
    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"seed": self.seed}


class GlorotUniform(_Seeded):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (`tf.keras.initializers.GlorotUniform`)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(_Seeded):
    """Truncated normal of deviation sqrt(2 / (fan_in + fan_out)) (`tf.keras.initializers.GlorotNormal`)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class LecunNormal(_Seeded):
    """Truncated normal of deviation sqrt(1 / fan_in) (`tf.keras.initializers.LecunNormal`)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class LecunUniform(_Seeded):
    """Uniform within sqrt(3 / fan_in) (`tf.keras.initializers.LecunUniform`)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class HeNormal(_Seeded):
    """Truncated normal of deviation sqrt(2 / fan_in) (`tf.keras.initializers.HeNormal`)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class HeUniform(_Seeded):
    """Uniform within sqrt(6 / fan_in) (`tf.keras.initializers.HeUniform`)."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class Orthogonal(Initializer):
    """A matrix with orthogonal rows or columns times `gain` (`tf.keras.initializers.Orthogonal`)."""

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A value of `shape`, flattened to a matrix by its leading dimensions; ValueError below two dimensions."""
        _options(self, kwargs, partitions=False)
        found = _floating(dtype)
        sizes = _sizes(shape)
        if len(sizes) < 2:
            raise ValueError(
                f"The tensor to initialize must be at least two-dimensional. Received: shape={shape} of rank {len(sizes)}."
            )
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        numbers = self._numbers(kwargs)
        wide = dtypes.float64 if found is dtypes.float64 else dtypes.float32
        a = _normal((max(rows, columns), min(rows, columns)), 0.0, 1.0, wide, numbers)._t
        q, r = torch.linalg.qr(a)
        q = q * torch.sign(torch.diagonal(r))  # so that it is uniformly distributed
        if rows < columns:
            q = q.T
        return wrap((self.gain * q).reshape(sizes).to(found.torch).contiguous())

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"gain": self.gain, "seed": self.seed}


class Identity(Initializer):
    """An identity matrix times `gain` (`tf.keras.initializers.Identity`)."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """The matrix; ValueError unless `shape` has two dimensions."""
        _options(self, kwargs, partitions=False)
        found = _floating(dtype)
        sizes = _sizes(shape)
        if len(sizes) != 2:
            raise ValueError(
                f"Identity matrix initializer can only be used for 2D matrices. Received: shape={shape} of rank {len(sizes)}."
            )
        return wrap(self.gain * torch.eye(*sizes, dtype=found.torch, device=current()))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"gain": self.gain}


constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

#: every name that a config may use
_KNOWN: dict[str, Any] = {
    "Initializer": Initializer, "Constant": Constant, "GlorotNormal": GlorotNormal, "GlorotUniform": GlorotUniform, "HeNormal": HeNormal,
    "HeUniform": HeUniform, "Identity": Identity, "LecunNormal": LecunNormal, "LecunUniform": LecunUniform, "Ones": Ones,
    "Orthogonal": Orthogonal, "RandomNormal": RandomNormal, "RandomUniform": RandomUniform, "TruncatedNormal": TruncatedNormal,
    "VarianceScaling": VarianceScaling, "Zeros": Zeros, "constant": Constant, "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform, "he_normal": HeNormal, "he_uniform": HeUniform, "identity": Identity, "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform, "ones": Ones, "one": Ones, "orthogonal": Orthogonal, "random_normal": RandomNormal,
    "normal": RandomNormal, "random_uniform": RandomUniform, "uniform": RandomUniform, "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling, "zeros": Zeros, "zero": Zeros,
}  # fmt: skip


def serialize(initializer: Any, use_legacy_format: bool = False) -> Any:
    """The config of an initializer (`tf.keras.initializers.serialize`)."""
    if initializer is None:
        return None
    return serialize_legacy(initializer) if use_legacy_format else serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """The initializer of a config or name (`tf.keras.initializers.deserialize`)."""
    return from_module(config, _KNOWN, custom_objects, "initializer", use_legacy_format)


def get(identifier: Any) -> Any:
    """An initializer from its name, config, class or itself (`tf.keras.initializers.get`). ValueError for anything else."""
    if identifier is None:
        return None
    if isinstance(identifier, (dict, str)):
        return deserialize(identifier, use_legacy_format="module" not in identifier)
    if callable(identifier):
        return identifier() if inspect.isclass(identifier) else identifier
    raise ValueError(f"Could not interpret initializer identifier: {identifier}")


