"""What `compile` was given, matched to the outputs of a model: losses, loss weights, metrics."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import nest, state, strategies
from tf2compat._engine.convert import convert_to_tensor
from tf2compat._engine.tensor import Tensor

from ..losses.classes import Loss, LossFunctionWrapper
from ..losses.weighting import combine_mask
from ..metrics.base import Mean, MeanMetricWrapper, Metric
from . import naming
from .callspec import Masks, mask_of


def pseudo_names(y_pred: Any) -> list[str]:
    """Names of the outputs of a model that has none: the keys of dicts, else output_1, …"""
    paths = nest.flatten_with_paths(y_pred)
    names = []
    for path, _ in paths:
        if not path:
            names.append("output_1")
        else:
            names.append("_".join(str(p) if not isinstance(p, int) else f"output_{p + 1}" for p in path))
    return names


def _expand(given: Any, y: Any, names: list[str], what: str, wrap_lists: bool = False) -> list[Any]:
    """One entry of `given` for each output; None where nothing is given."""
    n = len(names)
    if given is None:
        return [None] * n
    if isinstance(given, dict):
        unknown = set(given) - set(names)
        if isinstance(y, dict):
            unknown -= set(y)
        if unknown:
            raise _unknown({k: v for k, v in given.items() if k in unknown}, names)
        if isinstance(y, dict) and set(given) & set(y):
            return [given.get(key) for key in nest.sorted_keys(y)]
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if wrap_lists:
            if n == 1:
                return [nest.flatten(given)]
            if not any(isinstance(g, (list, tuple, dict)) for g in given):
                return [[_copy(g) for g in given] for _ in range(n)]
            if len(given) != n:
                raise ValueError(
                    f"The two structures don't have the same sequence length. Input structure has length {len(given)}, while shallow "
                    f"structure has length {n}."
                )
            return list(given)
        if n == 1:
            return [*nest.flatten(given), None][:1]
        return list(given)[:n]  # Keras leaves surplus entries unused, and outputs beyond the last entry alone
    return [_copy(given) if i else given for i in range(n)]


def _unknown(left: dict[Any, Any], names: list[str]) -> ValueError:
    return ValueError(
        f"Found unexpected losses or metrics that do not correspond to any Model output: {left.keys()}. Valid mode output names: {names}. "
        f"Received struct is: {left}."
    )


def _flat(y_pred: Any) -> bool:
    """Whether outputs are one tensor or a list of tensors."""
    return not nest.is_nested(y_pred) or (isinstance(y_pred, (list, tuple)) and not any(nest.is_nested(y) for y in y_pred))


def _copy(metric: Any) -> Any:
    return metric.__class__.from_config(metric.get_config()) if isinstance(metric, Metric) else metric


def match_target(y_t: Any, y_p: Any, sw: Any) -> tuple[Any, Any, Any]:
    """Targets and weights with the predictions' rank and dtype, where they differ by a last axis or a width."""
    if isinstance(y_t, Tensor) and isinstance(y_p, Tensor):
        rt, rp = y_t.shape.rank, y_p.shape.rank
        if rt == 1 and rp == 2:
            y_t = _expand_last(y_t)
        if sw is not None and isinstance(sw, Tensor) and sw.shape.rank == 1 and rp == 2:
            sw = _expand_last(sw)
        a, b = y_t.dtype, y_p.dtype
        if a is not b and ((a.is_floating and b.is_floating) or (a.is_integer and b.is_integer)):
            y_t = _cast(y_t, b)
        if sw is not None and isinstance(sw, Tensor) and sw.dtype is not b and b.is_floating and sw.dtype.is_floating:
            sw = _cast(sw, b)
    return y_t, y_p, sw


def _expand_last(x: Any) -> Any:
    from tf2compat import expand_dims

    return expand_dims(x, -1)


def _sum(a: Any, b: Any) -> Any:
    """a + b, in the wider of two floating dtypes."""
    if a.dtype is not b.dtype:
        if a.dtype.size < b.dtype.size:
            a = _cast(a, b.dtype)
        else:
            b = _cast(b, a.dtype)
    return a + b


def _cast(x: Any, dtype: Any) -> Any:
    from tf2compat import cast

    return cast(x, dtype)


def _by_output(value: Any, y_pred: Any, names: list[str], what: str = "") -> list[Any]:
    """Targets or weights in the outputs' order."""
    n = len(names)
    if value is None:
        return [None] * n
    if isinstance(value, dict):
        if isinstance(y_pred, dict):
            return [value.get(k) for k in nest.sorted_keys(y_pred)]
        left = {k: v for k, v in value.items() if k not in names}
        if left and _flat(y_pred):
            raise _unknown(left, names)
        return [value.get(k) for k in names]
    if nest.is_nested(value):
        flat = nest.flatten(value)
        if len(flat) != n:
            if n == 1 and len(flat) > 1:  # of arrays the first is taken, numbers are one array
                return flat[:1] if all(isinstance(v, Tensor) and v.shape.rank for v in flat) else [convert_to_tensor(value)]
            if len(flat) > n or not what:  # outputs without a weight are left alone
                raise ValueError(
                    f"Found {n} output(s) of the model, but {len(flat)} {what or 'target'}(s): names of the outputs are {names}."
                )
        return flat
    return [value] * n


class LossesContainer:
    """The losses of a model's outputs, and the means that report them."""

    def __init__(self, losses: Any, loss_weights: Any = None, output_names: list[str] | None = None, total_loss_mean: Any = None) -> None:
        if loss_weights is not None and not isinstance(loss_weights, (list, dict, float, int, tuple)):
            raise TypeError(f"Could not interpret loss_weights argument {loss_weights!r}: a list, a dict or a number is expected.")
        self.given, self.given_weights = losses, loss_weights
        self.names = output_names
        self.losses: list[Any] = []
        self.weights: list[Any] = []
        self.means: list[Any] = []
        with state.outside():
            self.total = Mean(name="loss") if total_loss_mean is None else total_loss_mean
        self.built = False

    #: Keras' names, by which other libraries make a second container
    _user_losses = property(lambda self: self.given)
    _user_loss_weights = property(lambda self: self.given_weights)

    @property
    def metrics(self) -> list[Any]:
        if not self.built:
            return []
        return [self.total, *(m for m in self.means if m is not None)]

    def build(self, y_pred: Any) -> None:
        """Match losses with outputs; ValueError when they do not fit."""
        if self.names is None:
            self.names = pseudo_names(y_pred)
        names = self.names
        self.losses = [_as_loss(x) for x in _expand(self.given, y_pred, names, "loss")]
        self.losses += [None] * (len(names) - len(self.losses))
        self.weights = _expand(self.given_weights, y_pred, names, "loss_weights")
        with state.outside():
            if len(names) > 1:
                self.means = [None if fn is None else Mean(name=f"{n}_loss") for n, fn in zip(names, self.losses, strict=True)]
            else:
                self.means = [None]
        self.built = True

    def reset_state(self) -> None:
        for m in self.metrics:
            m.reset_state()

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None) -> Any:
        """The sum of the outputs' weighted losses and the regularization losses; None when there is nothing to sum."""
        if not self.built:
            self.build(y_pred)
        names = self.names or []
        flat_p = nest.flatten(y_pred)
        flat_t = _by_output(y_true, y_pred, names)
        flat_w = _by_output(sample_weight, y_pred, names, "sample_weight")
        total = None
        shown: Any = None  # where there are several replicas: the loss as if this one were alone
        count = strategies.count()
        batch = None
        for y_t, y_p, sw, fn, weight, mean in zip(flat_t, flat_p, flat_w, self.losses, self.weights, self.means, strict=False):  # outputs may come to be fewer
            if y_t is None or fn is None:
                continue
            y_t, y_p, sw = match_target(y_t, y_p, sw)
            if Masks.used:
                sw = combine_mask(y_p, sw, mask_of(y_p))
            value = fn(y_t, y_p, sample_weight=sw)
            if batch is None:
                dims = y_t.shape
                batch = dims[0] if dims.rank else 1
                if batch is None:
                    from tf2compat import shape

                    batch = _cast(shape(y_t)[0], value.dtype)
                elif type(batch) is not float:
                    batch = float(batch)
            if count > 1:
                summed = fn.reduction == "sum"
                own = value * count if summed else value
                if mean is not None:
                    mean.update_state(own, sample_weight=batch)
                own = own if weight is None else own * weight
                shown = own if shown is None else shown + own
                value = value if summed or fn.reduction == "none" else value / count
            elif mean is not None:
                mean.update_state(value, sample_weight=batch)
            if weight is not None:
                value = value * weight
            total = value if total is None else _sum(total, value)
        if regularization_losses:
            extra = None
            for r in regularization_losses:
                extra = r if extra is None else _sum(extra, r)
            if total is not None and extra.dtype is not total.dtype:
                total = _sum(total, extra * 0)
                extra = _cast(extra, total.dtype)
            if batch is None:
                first = next((t for t in [*flat_t, *flat_p] if t is not None and t.shape.rank), None)
                batch = 1.0 if first is None else first.shape[0]
                if batch is None:
                    from tf2compat import shape

                    batch = shape(first)[0]
                batch = float(batch) if isinstance(batch, int) else batch
            if count > 1:
                shown = extra if shown is None else shown + extra
                extra = extra / count
            total = extra if total is None else total + extra
        if total is not None:
            self._report(total if shown is None else shown, batch)
        return total

    def _report(self, total: Any, batch: Any) -> None:
        if total.shape.rank:
            from tf2compat import reduce_mean

            self.total.update_state(reduce_mean(total), sample_weight=batch)
        else:
            self.total.update_state(total, sample_weight=batch)


def _as_loss(loss: Any) -> Any:
    if loss is None:
        return None
    from .. import losses

    found = losses.get(loss)
    if not isinstance(found, Loss):
        name = getattr(found, "__name__", None) or type(found).__name__
        found = LossFunctionWrapper(found, name=loss if isinstance(loss, str) else name)
    found._allow_sum_over_batch_size = True
    return found


class MetricsContainer:
    """The metrics of a model's outputs."""

    def __init__(self, metrics: Any = None, weighted_metrics: Any = None, output_names: list[str] | None = None, from_serialized: bool = False) -> None:
        for given, what in ((metrics, "metrics"), (weighted_metrics, "weighted_metrics")):
            if given is not None and not isinstance(given, (list, tuple, dict, str, Metric)) and not callable(given):
                raise TypeError(f"Type of `{what}` argument not understood. Expected list or dictionary, found: {type(given)}: {given!r}")
        metrics = [metrics] if metrics is not None and not isinstance(metrics, (list, tuple, dict)) else metrics
        if weighted_metrics is not None and not isinstance(weighted_metrics, (list, tuple, dict)):
            weighted_metrics = [weighted_metrics]
        self.given, self.given_weighted = metrics, weighted_metrics
        self.from_serialized = from_serialized
        self.names = output_names
        self.by_output: list[list[Any]] = []
        self.weighted_by_output: list[list[Any]] = []
        self.built = False

    @property
    def metrics(self) -> list[Any]:
        """The metrics in order; none before they are matched with the outputs."""
        if not self.built:
            return []
        return [m for plain, weighted in zip(self.by_output, self.weighted_by_output, strict=True) for m in (*plain, *weighted)]

    def matched(self) -> tuple[Any, Any]:
        """Metrics and weighted metrics as files describe them: output by output once they are matched, else as they were given."""
        if not self.built:
            return self.given, self.given_weighted
        per = [None if given is None else [m or [None] for m in made]
               for given, made in ((self.given, self.by_output), (self.given_weighted, self.weighted_by_output))]  # fmt: skip
        return per[0], per[1]

    def build(self, y_pred: Any, y_true: Any) -> None:
        if self.names is None:
            self.names = pseudo_names(y_pred)
        names = self.names
        flat_p = nest.flatten(y_pred)
        flat_t = _by_output(y_true, y_pred, names)
        with state.outside():
            for given, out in ((self.given, self.by_output), (self.given_weighted, self.weighted_by_output)):
                per = _expand(given, y_pred, names, "metrics", wrap_lists=True)
                for name, entry, y_t, y_p in zip(names, per, flat_t, flat_p, strict=True):
                    entries = entry if isinstance(entry, (list, tuple)) else [entry]
                    made = [_as_metric(m, y_t, y_p) for m in entries if m is not None]
                    out.append(made)
        self._name_metrics(names)
        self.built = True

    def _name_metrics(self, names: list[str]) -> None:
        """Prefix the metrics with their outputs' names, where there are several; ValueError for equal names."""
        used: set[str] = set()
        for name, plain, weighted in zip(names, self.by_output, self.weighted_by_output, strict=True):
            prefix = f"{name}_" if len(names) > 1 else ""
            for m in (*plain, *weighted):
                if m.__dict__.get("_prefixed"):
                    used.add(m.name)
                    continue
                found = m._name if self.from_serialized and m._name.startswith(prefix) else f"{prefix}{m._name}"
                if found in used and any(m is w for w in weighted):
                    found = f"{prefix}weighted_{m._name}"
                if found in used:
                    raise ValueError(
                        f"Found two metrics with the same name: {found}. All the metrics added to the model need to have unique names."
                    )
                m.__dict__["_name"] = found
                m.__dict__["_prefixed"] = bool(prefix)
                used.add(found)

    def reset_state(self) -> None:
        for m in self.metrics:
            m.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not self.built:
            self.build(y_pred, y_true)
        if not any(self.by_output) and not any(self.weighted_by_output):
            return
        names = self.names or []
        flat_p = nest.flatten(y_pred)
        flat_t = _by_output(y_true, y_pred, names)
        flat_w = _by_output(sample_weight, y_pred, names, "sample_weight")
        for y_t, y_p, sw, plain, weighted in zip(flat_t, flat_p, flat_w, self.by_output, self.weighted_by_output, strict=False):
            if y_t is None or not (plain or weighted):
                continue
            y_t, y_p, sw = match_target(y_t, y_p, sw)
            mask = mask_of(y_p) if Masks.used else None
            if mask is not None:
                sw = combine_mask(y_p, sw, mask)
            only_mask = None if mask is None else combine_mask(y_p, None, mask)
            for m in plain:
                if only_mask is not None and _weighs(m):
                    m._updating()(y_t, y_p, sample_weight=only_mask)
                else:
                    m._updating()(y_t, y_p)
            for m in weighted:
                m._updating()(y_t, y_p, sample_weight=sw)


def _weighs(metric: Any) -> bool:
    """Whether a metric's `update_state` takes `sample_weight`."""
    cls = type(metric)
    found = cls.__dict__.get("_tf_weighs")
    if found is None:
        import inspect

        parameters = inspect.signature(cls.update_state).parameters
        found = "sample_weight" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        cls._tf_weighs = found
    return found


def _as_metric(metric: Any, y_t: Any, y_p: Any) -> Any:
    from .. import metrics as m

    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, str) and metric.lower() in ("accuracy", "acc", "crossentropy", "ce"):
        binary, sparse = _kind_of(y_t, y_p)
        if metric.lower() in ("accuracy", "acc"):
            fn: Any = m.binary_accuracy if binary else m.sparse_categorical_accuracy if sparse else m.categorical_accuracy
        else:
            fn = m.binary_crossentropy if binary else m.sparse_categorical_crossentropy if sparse else m.categorical_crossentropy
    else:
        fn = m.get(metric)
        if isinstance(fn, str):
            raise TypeError(  # Keras calls the name as it is
                f"Unknown metric function: '{fn}'. Please ensure you are using a `keras.utils.custom_object_scope` and that this object is "
                "included in the scope. See https://www.tensorflow.org/guide/keras/save_and_serialize#registering_the_custom_object for details."
            )
    if isinstance(fn, Metric):
        return fn
    if isinstance(metric, str):
        name = metric
    elif hasattr(metric, "__name__"):
        name = metric.__name__
    elif isinstance(fn, Loss):
        name = fn.name or type(fn).__name__
    else:
        name = naming.snake_case(type(metric).__name__)
    return MeanMetricWrapper(fn, name=name)


def _kind_of(y_t: Any, y_p: Any) -> tuple[bool, bool]:
    """(binary, sparse categorical) by the shapes, as "accuracy" is understood."""
    t, p = (y_t.shape if y_t is not None else None), y_p.shape
    rt = None if t is None else t.rank
    rp = p.rank
    last_t = t[-1] if t is not None and rt else None
    last_p = p[-1] if rp else None
    binary = last_p == 1
    sparse = (rt is not None and rp is not None and rt < rp) or (last_t == 1 and (last_p or 0) > 1)
    return binary, bool(sparse)
