"""Dropout and noise, active in training only."""

from __future__ import annotations

import math
import numbers
from typing import Any

import tf2compat as tf
from tf2compat._engine.dtypes import FLOATS
from tf2compat._engine.op import SHAPE, op, tensor
from tf2compat._engine.shapes import TensorShape
from tf2compat.nn.dropping import dropped, kept
from tf2compat.random.seeding import Stream
from tf2compat.random.stateful import bell, exact, unit

from .._base.input_spec import InputSpec
from .._base.layer import Layer
from .._base.random_numbers import OwnNumbers, RandomGenerator, kind_of, numbers_of
from .._base.seeds import next_stream


class _Random(OwnNumbers, Layer):
    """A layer that draws random numbers while training, of the kind that `rng_type` and `force_generator` say."""

    _numbers: RandomGenerator | None

    def __init__(self, force_generator: bool = False, rng_type: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__["_numbers"] = (rng_type, force_generator)  # until the seed is known

    def _start_random(self, seed: Any) -> None:
        self.__dict__["_numbers"] = numbers_of(seed, *self.__dict__["_numbers"])
        self.seed = seed
        self.__dict__["_next_seed"] = None if seed is None else int(seed)

    def _stream(self, kind: str, dtype: Any) -> Stream:
        """The stream of the next op. As in Keras, each op that is made has a seed one higher than the last one's."""
        return next_stream(self.__dict__, kind, dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return TensorShape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config() | kind_of(self._numbers)

    def _choose(self, training: Any, active: Any, inputs: Any) -> Any:
        if training is None or training is False or (isinstance(training, int) and not training):
            return tf.identity(inputs)
        if training is True or isinstance(training, int):
            return active()
        return tf.cond(tf.cast(training, tf.bool), active, lambda: tf.identity(inputs))


class Dropout(_Random):
    """Sets a random share `rate` of its inputs to zero while training and scales the rest up (`tf.keras.layers.Dropout`)."""

    def __init__(self, rate: Any, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(rate, (int, float)) and not 0 <= rate <= 1:
            raise ValueError(f"Invalid value {rate} received for `rate`, expected a value between 0 and 1.")
        if isinstance(rate, (int, float)):
            keep = rate
        elif isinstance(rate, numbers.Number):
            keep = float(rate)  # type: ignore[arg-type]
        else:
            keep = rate
        self.rate = keep
        self.noise_shape = noise_shape
        self._start_random(seed)
        self.supports_masking = True

    def _get_noise_shape(self, inputs: Any) -> Any:
        if self.noise_shape is None:
            return None
        if not any(d is None for d in self.noise_shape):
            return list(self.noise_shape)
        sizes, whole = inputs.shape.as_list(), None
        found = []
        for i, d in enumerate(self.noise_shape):
            if d is None:
                if sizes[i] is None and whole is None:
                    whole = tf.shape(inputs)
                d = sizes[i] if sizes[i] is not None else whole[i]  # type: ignore[index]
            found.append(d)
        return found

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The dropped inputs when training, else inputs."""
        if training is False or training is None:
            return inputs

        def active() -> Any:
            rate = self.rate
            if self._numbers is not None:
                return self._numbers.dropout(inputs, rate, self._get_noise_shape(inputs))
            if type(rate) in (int, float):
                if rate == 0:
                    return tf.identity(inputs)
                if rate >= 1:
                    raise ValueError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}")
                return dropped(inputs, float(rate), self._get_noise_shape(inputs), self._stream("uniform", inputs.dtype))
            return tf.nn.dropout(inputs, rate, self._get_noise_shape(inputs), self.seed)

        return self._choose(training, active, inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed})
        return config


class _SpatialDropout(Dropout):
    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config()


class SpatialDropout1D(_SpatialDropout):
    """Drops whole features of [batch, steps, features] (`tf.keras.layers.SpatialDropout1D`)."""

    def __init__(self, rate: Any, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _get_noise_shape(self, inputs: Any) -> Any:
        sizes = inputs.shape.as_list()
        batch = sizes[0] if sizes[0] is not None else tf.shape(inputs)[0]
        return [batch, 1, sizes[2]]


def _spatial_format(data_format: Any) -> str:
    from .._base.config import settings

    data_format = settings.image_data_format if data_format is None else data_format
    if data_format not in {"channels_last", "channels_first"}:
        raise ValueError(f'`data_format` must be "channels_last" or "channels_first". Received: data_format={data_format}.')
    return data_format


class SpatialDropout2D(_SpatialDropout):
    """Drops whole channels of images (`tf.keras.layers.SpatialDropout2D`)."""

    def __init__(self, rate: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.data_format = _spatial_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def _get_noise_shape(self, inputs: Any) -> Any:
        sizes = inputs.shape.as_list()
        batch = sizes[0] if sizes[0] is not None else tf.shape(inputs)[0]
        return [batch, sizes[1], 1, 1] if self.data_format == "channels_first" else [batch, 1, 1, sizes[3]]


class SpatialDropout3D(_SpatialDropout):
    """Drops whole channels of volumes (`tf.keras.layers.SpatialDropout3D`)."""

    def __init__(self, rate: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.data_format = _spatial_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def _get_noise_shape(self, inputs: Any) -> Any:
        sizes = inputs.shape.as_list()
        batch = sizes[0] if sizes[0] is not None else tf.shape(inputs)[0]
        return [batch, sizes[1], 1, 1, 1] if self.data_format == "channels_first" else [batch, 1, 1, 1, sizes[4]]


@op("GaussianNoise", stateful=True, x=tensor(FLOATS))
def _noise(x: Any, mean: float, stddev: float, times: bool, numbers: Stream) -> Any:
    if x.device.type == "meta":
        return x * 1.0
    if exact(numbers, x.device):
        drawn = bell(x.shape, x.dtype, numbers) * stddev + mean
    else:
        drawn = x.new_empty(x.shape).normal_(mean, stddev, generator=numbers.generator(x.device))
    return x * drawn if times else x + drawn


class GaussianNoise(_Random):
    """Adds normal noise while training (`tf.keras.layers.GaussianNoise`)."""

    def __init__(self, stddev: Any, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start_random(seed)
        self.supports_masking = True
        self.stddev = stddev

    def call(self, inputs: Any, training: Any = None) -> Any:
        """inputs plus noise when training, else inputs."""
        if not isinstance(training, (bool, int)) and training is None or training is False:
            return inputs

        def noisy() -> Any:
            if self._numbers is not None:
                return inputs + self._numbers.random_normal(tf.shape(inputs), 0.0, self.stddev, inputs.dtype)
            return _noise(inputs, 0.0, float(self.stddev), False, self._stream("normal", inputs.dtype))

        return self._choose(training, noisy, inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"stddev": self.stddev, "seed": self.seed})
        return config


class GaussianDropout(_Random):
    """Multiplies by normal noise of mean one while training (`tf.keras.layers.GaussianDropout`)."""

    def __init__(self, rate: Any, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start_random(seed)
        self.supports_masking = True
        self.rate = rate

    def call(self, inputs: Any, training: Any = None) -> Any:
        """inputs times noise when training, else inputs."""
        if training is None or training is False or not 0 < self.rate < 1:
            return inputs
        stddev = math.sqrt(self.rate / (1.0 - self.rate))

        def noisy() -> Any:
            if self._numbers is not None:
                return inputs * self._numbers.random_normal(tf.shape(inputs), 1.0, stddev, inputs.dtype)
            return _noise(inputs, 1.0, stddev, True, self._stream("normal", inputs.dtype))

        return self._choose(training, noisy, inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"rate": self.rate, "seed": self.seed})
        return config


_LOW = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


def _alpha(x: Any, keep: Any, rate: float) -> Any:
    a = ((1 - rate) * (1 + rate * _LOW**2)) ** -0.5
    return a * (x * keep + _LOW * (1 - keep)) - a * _LOW * rate


@op("AlphaDropout", stateful=True, x=tensor(FLOATS), shape=SHAPE)
def _alpha_dropout(x: Any, rate: float, shape: Any, numbers: Stream) -> Any:
    if x.device.type == "meta":
        return x * 1.0
    shape = x.shape if shape is None else shape
    if exact(numbers, x.device):
        keep = (unit(shape, x.dtype, numbers) >= rate).to(x.dtype)
    else:
        keep = kept(shape, x.dtype, rate, numbers.generator(x.device), x.device)
    return _alpha(x, keep, rate)


class AlphaDropout(_Random):
    """Dropout that keeps mean and variance of self-normalising inputs (`tf.keras.layers.AlphaDropout`)."""

    def __init__(self, rate: Any, noise_shape: Any = None, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start_random(seed)
        self.rate = rate
        self.noise_shape = noise_shape
        self.supports_masking = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The dropped inputs when training, else inputs."""
        if training is None or training is False or not 0.0 < self.rate < 1.0:
            return inputs
        shape = None if self.noise_shape is None else tuple(self.noise_shape)

        def dropping() -> Any:
            if self._numbers is not None:
                drawn = self._numbers.random_uniform(tf.shape(inputs) if shape is None else shape, dtype=inputs.dtype)
                return _alpha(inputs, tf.cast(drawn >= self.rate, inputs.dtype), self.rate)
            return _alpha_dropout(inputs, float(self.rate), shape, self._stream("uniform", inputs.dtype))

        return self._choose(training, dropping, inputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({"rate": self.rate, "seed": self.seed})
        return config
