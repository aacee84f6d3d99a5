"""`tf.keras.metrics.Metric`, and the metrics that sum up or average values."""

from __future__ import annotations

import functools
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from tf2compat._engine import nest, state, strategies
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.devices import on_host
from tf2compat._engine.op import ANY, VARIABLE, VARIABLES, op
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable, VariableAggregation, VariableSynchronization

from .._base.callspec import Masks, mask_of
from .._base.context import calling
from .._base.layer import Layer
from ..losses.weighting import combine_mask, match_ranks
from .functions import HITS, hits_of

_TENSORS = (Tensor, SymbolicTensor)


@op("KerasResetMetric", stateful=True, variables=VARIABLES)
def _reset(variables: Any) -> None:
    for v in variables:
        v._own().zero_()


_reset.infer(lambda *args: [])


def _once_for_all(result: Callable[..., Any]) -> Callable[..., Any]:
    """A metric's `result`, which replicas ask for together: when all have updated it, they get one value."""

    @functools.wraps(result)
    def joint(self: Any, *args: Any, **kwargs: Any) -> Any:
        replica = strategies.replica() if strategies.running else None
        if replica is not None:
            return replica.merge_call(lambda strategy: strategies.called(result, (self, *args), kwargs))
        return strategies.called(result, (self, *args), kwargs)

    return joint


class Metric(Layer):
    """Base of the metrics (`tf.keras.metrics.Metric`): define `update_state` and `result`.

    Calling the object updates it and returns the result. Variables are made in `__init__` with `add_weight`.
    """

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.stateful = True
        self.built = True
        self.__dict__["_dtype"] = self._policy.variable_dtype or "float32"

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        missing = [n for n in ("result", "update_state") if getattr(cls, n) is getattr(Metric, n)]
        if missing:
            raise TypeError(f"Can't instantiate abstract class {cls.__name__} with abstract methods {', '.join(missing)}")
        return super().__new__(cls, *args, **kwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("result")
        if isinstance(own, types.FunctionType):
            cls.result = _once_for_all(own)  # type: ignore[method-assign]

    @property
    def dtype(self) -> Any:
        return self._dtype

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not any(hasattr(type(a), "_is_keras_tensor") for a in nest.flatten((args, kwargs))):
            self._updating()(*args, **kwargs)
        out = self.result()
        calling.measured = (out, self)
        return out

    def _updating(self) -> Callable[..., Any]:
        """`update_state`, rewritten by AutoGraph while a function is being traced and the metric is the user's own."""
        if state.local.graph is None or type(self).__module__.startswith("tf2compat."):
            return self.update_state
        from .._base.tracing import converted

        return converted(self.update_state)

    def __str__(self) -> str:
        return f"{type(self).__name__}({','.join(f'{k}={v}' for k, v in self.get_config().items())})"

    def __deepcopy__(self, memo: Any) -> Metric:
        new = self.from_config(self.get_config())
        if self.weights:
            new.set_weights(self.get_weights())
        memo[id(self)] = new
        return new

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    def reset_state(self) -> None:
        """Set all variables to 0."""
        if type(self).reset_states is not Metric.reset_states:
            warnings.warn(
                f"Metric {type(self).__name__} implements a `reset_states()` method; rename it to `reset_state()` (without the final "
                '"s"). The name `reset_states()` has been deprecated to improve API consistency.',
                stacklevel=2,
            )
            self.reset_states()
            return
        variables = self.variables
        if variables:
            _reset(variables)

    def reset_states(self) -> None:
        """Old name of `reset_state`."""
        self.reset_state()

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Take a batch into account."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def result(self) -> Any:
        """The metric's present value: a scalar tensor, or a dict of them."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def merge_state(self, metrics: Any) -> list[Any]:
        """Add the variables of other metrics of the same kind; ValueError when they do not fit."""
        out = []
        for other in metrics:
            if len(self.weights) != len(other.weights):
                raise ValueError(f"Metric {other} is not compatible with {self}")
            out.extend(w.assign_add(o) for w, o in zip(self.weights, other.weights, strict=True))
        return out

    def add_weight(
        self,
        name: str | None = None,
        shape: Any = (),
        aggregation: Any = VariableAggregation.SUM,
        synchronization: Any = VariableSynchronization.ON_READ,
        initializer: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A variable of the metric, zeros unless `initializer` is given; never trained."""
        names, state.local.names = state.local.names, []
        try:
            with state.outside(), strategies.single():  # what replicas see, each in its turn, adds up
                return super().add_weight(
                    name=name, shape=shape, dtype=self._dtype if dtype is None else dtype, trainable=False,
                    initializer="zeros" if initializer is None else initializer, synchronization=synchronization,
                    aggregation=aggregation, **kwargs,
                )  # fmt: skip
        finally:
            state.local.names = names


def _broadcast(weight: torch.Tensor, values: torch.Tensor) -> torch.Tensor | None:
    """A weight as large as the values, by TensorFlow's strict rule (same rank, sizes equal or 1), or None."""
    if weight.ndim == 0:
        return weight.expand(values.shape)
    if weight.ndim == values.ndim and all(w in (1, v) for w, v in zip(weight.shape, values.shape, strict=True)):
        return weight.expand(values.shape)
    return None


def fit_rank(weight: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    if weight.ndim and weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        return weight.squeeze(-1)
    if weight.ndim and weight.ndim == values.ndim - 1:
        return weight.unsqueeze(-1)
    return weight


@op("KerasReduceMetric", stateful=True, total=VARIABLE, count=VARIABLE, values=ANY, weight=ANY)
def _accumulate(total: Any, count: Any, values: Any, weight: Any = None, mean: Any = True, number: Any = None) -> None:
    """total += sum(values * weight); count += their number, or the weights' sum. `number` is the weight of a scalar."""
    dtype = total._t.dtype
    if values.requires_grad:
        values = values.detach()
    if values.dtype is not dtype:
        values = values.to(dtype)
    if number is not None:
        total._own().add_(values, alpha=number)
        if mean:
            count._own().add_(number)
        return
    if weight is None:
        total._own().add_(values if values.ndim == 0 else values.sum())
        if mean:
            count._own().add_(values.numel())
        return
    weight = fit_rank(weight.detach().to(dtype), values)
    full = _broadcast(weight, values)
    if full is None:
        if weight.ndim < values.ndim:
            rest = tuple(range(weight.ndim, values.ndim))
            values = values.mean(rest) if mean else values.sum(rest)
        full = weight
    total._own().add_((values * full).sum())
    if mean:
        count._own().add_(full.sum() if full.shape == values.shape else full.expand(values.shape).sum())


@op("KerasCountHits", stateful=True, total=VARIABLE, count=VARIABLE, y_true=ANY, y_pred=ANY)
def _count_hits(total: Any, count: Any, y_true: Any, y_pred: Any, hits: Any) -> None:
    """As `_accumulate` does with the hits as numbers."""
    found = HITS[hits](y_true, y_pred)
    total._own().add_(found.sum())
    count._own().add_(found.numel())


@op("DivNoNan", total=ANY, count=ANY)
def _ratio(total: Any, count: Any) -> Any:
    if count.ndim == 0 and on_host(count) and not count.requires_grad:
        n = count.item()
        return total / n if n else torch.zeros_like(total)
    return torch.where(count == 0, torch.zeros_like(total), total / count)


_accumulate.infer(lambda *args: [])
_count_hits.infer(lambda *args: [])


class Sum(Metric):
    """The (weighted) sum of the values (`tf.keras.metrics.Sum`)."""

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight("total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        _accumulate(self.total, self.total, _number(values), _weight(sample_weight), False)

    def result(self) -> Any:
        return self.total.value()


def _number(values: Any) -> Any:
    return values if isinstance(values, (Tensor, Variable)) else convert_to_tensor(values)


def _weight(sample_weight: Any) -> Any:
    if sample_weight is None or isinstance(sample_weight, Tensor):
        return sample_weight
    return convert_to_tensor(sample_weight)


class Mean(Metric):
    """The (weighted) mean of the values (`tf.keras.metrics.Mean`)."""

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight("total")
        self.count = self.add_weight("count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        if type(sample_weight) is float and isinstance(values, Tensor) and values.shape.rank == 0:
            _accumulate(self.total, self.count, values, None, True, sample_weight)
        else:
            _accumulate(self.total, self.count, _number(values), _weight(sample_weight), True)

    def result(self) -> Any:
        return _ratio(self.total, self.count)


class MeanMetricWrapper(Mean):
    """The mean of a function of labels and predictions (`tf.keras.metrics.MeanMetricWrapper`)."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.__dict__["_fn"] = fn
        self.__dict__["_fn_kwargs"] = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch of labels and predictions into account; `sample_weight` may be 0 to leave samples out."""
        dtype = self._compute
        if sample_weight is None and self._count(y_true, y_pred, dtype):
            return
        if isinstance(y_true, _composite()) or isinstance(y_pred, _composite()):
            (y_true, y_pred), sample_weight = flat_of([y_true, y_pred], sample_weight)
        y_true, y_pred = _as(y_true, dtype), _as(y_pred, dtype)
        mask = mask_of(y_pred) if Masks.used else None
        if isinstance(y_true, Tensor) and isinstance(y_pred, Tensor):
            y_true, y_pred = match_ranks(y_true, y_pred)
        fn = self._fn
        if state.local.graph is not None and not getattr(fn, "__module__", "tf2compat.").startswith("tf2compat."):
            from .._base.tracing import converted

            fn = converted(fn)
        matches = fn(y_true, y_pred, **self._fn_kwargs)
        if matches is None or isinstance(matches, dict):
            more = " To return a dict of values, implement a custom Metric subclass." if isinstance(matches, dict) else ""
            raise RuntimeError(f"The output of a metric function can only be a single Tensor. Received: {matches}.{more}")
        if Masks.used:
            own = mask_of(matches)
            for m in (mask, own):
                if m is not None:
                    sample_weight = combine_mask(matches, sample_weight, m)
        super().update_state(matches, sample_weight)

    def _count(self, y_true: Any, y_pred: Any, dtype: Any) -> bool:
        """Count the hits of an unweighted batch without making numbers of labels and hits; whether that could be done."""
        if type(y_true) not in _TENSORS or type(y_pred) not in _TENSORS or y_pred.dtype is not dtype:
            return False
        hits = hits_of(self._fn, y_true)
        if hits is None or self._fn_kwargs or (Masks.used and mask_of(y_pred) is not None):
            return False
        _count_hits(self.total, self.count, *match_ranks(y_true, y_pred), hits)
        return True

    def get_config(self) -> dict[str, Any]:
        config = {k: v.numpy() if isinstance(v, (Tensor, Variable)) else v for k, v in self._fn_kwargs.items()}
        if type(self) is MeanMetricWrapper:
            config["fn"] = self._fn
        return super().get_config() | config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        fn = config.pop("fn", None)
        if cls is MeanMetricWrapper:
            from . import get

            return cls(get(fn) if isinstance(fn, str) else fn, **config)
        return super().from_config(config)


@functools.cache
def _composite() -> Any:
    from tf2compat import RaggedTensor

    return RaggedTensor


def flat_of(values: list[Any], sample_weight: Any) -> tuple[list[Any], Any]:
    """The flat values of ragged labels and predictions, and of their weights. InvalidArgumentError unless the rows are of equal lengths.

    TypeError for a ragged tensor among others that are not.
    """
    import tf2compat as tf

    weight = sample_weight
    given = [*values, *(() if weight is None else (weight,))]
    if not any(isinstance(v, tf.RaggedTensor) for v in given):
        return values, weight
    if not all(isinstance(v, tf.RaggedTensor) for v in given):
        raise TypeError(f"Some of the inputs are not tf.RaggedTensor. Input received: {values}")
    splits = [v.nested_row_splits for v in given]
    message = f"Inputs must have identical ragged splits. Input received: {splits[: len(values)]}"
    for other in splits[1:]:
        if len(other) != len(splits[0]):
            raise ValueError(message)
        for a, b in zip(splits[0], other, strict=True):
            tf.debugging.assert_equal(a, b, message=message)
    flat = [tf.expand_dims(v.flat_values, -1) for v in given]
    return flat[: len(values)], None if weight is None else flat[-1]


def _as(x: Any, dtype: Any) -> Any:
    if not isinstance(x, Tensor):
        x = convert_to_tensor(x)
    if x.dtype is not dtype:
        mask = mask_of(x) if Masks.used else None
        logits = getattr(x, "_keras_logits", None) if type(x) is Tensor else None
        if logits is None:
            x = _to(x, dtype)
        if mask is not None:
            x._keras_mask = mask
    return x


@op("Cast", x=ANY)
def _to(x: Any, dtype: Any) -> Any:
    return x.to(dtype.torch)


@op("KerasMeanTensor", stateful=True, total=VARIABLE, count=VARIABLE, values=ANY, weight=ANY)
def _accumulate_tensor(total: Any, count: Any, values: Any, weight: Any = None) -> None:
    dtype = total._t.dtype
    values = values.detach().to(dtype)
    n = torch.ones_like(values)
    if weight is not None:
        weight = fit_rank(weight.detach().to(dtype), values)
        full = _broadcast(weight, values)
        if full is None:
            values = values.mean(tuple(range(weight.ndim, values.ndim)))
            full = weight
        n = n * full
        values = values * full
    total._own().add_(values)
    count._own().add_(n)


_accumulate_tensor.infer(lambda *args: [])


class MeanTensor(Metric):
    """The element-wise (weighted) mean of tensors of one shape (`tf.keras.metrics.MeanTensor`).

    ValueError for values of another shape than the first ones'.
    """

    def __init__(self, name: str = "mean_tensor", dtype: Any = None, shape: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.__dict__["_shape"] = None
        self.__dict__["_built"] = False
        if shape is not None:
            self._build(tuple(shape))

    def _build(self, shape: tuple[int, ...]) -> None:
        self.__dict__["_shape"] = shape
        self.total_tensor = self.add_weight("total", shape=shape)
        self.count_tensor = self.add_weight("count", shape=shape)
        self.__dict__["_built"] = True

    @property
    def total(self) -> Any:
        return self.total_tensor if self._built else None

    @property
    def count(self) -> Any:
        return self.count_tensor if self._built else None

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values = _number(values)
        shape = tuple(values.shape)
        if not self._built:
            self._build(shape)
        elif shape != tuple(self._shape):
            raise ValueError(
                "MeanTensor input values must always have the same shape. Expected shape (set during the first call): "
                f"{tuple(self._shape)}. Got: {shape}."
            )
        _accumulate_tensor(self.total_tensor, self.count_tensor, values, _weight(sample_weight))

    def result(self) -> Any:
        if not self._built:
            raise ValueError(
                "MeanTensor does not have any value yet. Please call the MeanTensor instance or use `.update_state(value)` "
                "before retrieving the result."
            )
        return _ratio(self.total_tensor, self.count_tensor)

    def reset_state(self) -> None:
        if self._built:
            super().reset_state()


def host(x: Any) -> Any:
    return x.numpy() if isinstance(x, (Tensor, Variable)) else np.asarray(x)
