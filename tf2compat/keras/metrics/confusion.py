"""Metrics of true and false positives and negatives at thresholds."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import torch

from tf2compat._engine.op import ANY, VARIABLES, op
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._engine.tensor import Tensor

from .._base.config import settings
from ..losses.functions import check_shapes
from .base import Metric, _number, _weight, fit_rank, flat_of, host

_NEG_INF = -1e10
_PARTS = ("true_positives", "true_negatives", "false_positives", "false_negatives")


@op("KerasConfusionUpdate", stateful=True, variables=VARIABLES, y_true=ANY, y_pred=ANY, weight=ANY)
def _update(
    variables: Any, y_true: Any, y_pred: Any, weight: Any = None, which: Any = (), thresholds: Any = (), top_k: Any = None,
    class_id: Any = None, label_weights: Any = None, multi_label: Any = False, even: Any = False,
) -> None:  # fmt: skip
    dtype = variables[0]._t.dtype
    t, p = y_true.detach().to(dtype), y_pred.detach().to(dtype)
    w = None if weight is None else weight.detach().to(dtype)
    if p.ndim == t.ndim + 1 and p.shape[-1] == 1:
        p = p.squeeze(-1)
    elif t.ndim == p.ndim + 1 and t.shape[-1] == 1:
        t = t.squeeze(-1)
    if t.shape != p.shape:
        raise ValueError(f"Shapes {tuple(p.shape)} and {tuple(t.shape)} are incompatible")
    if w is not None:
        w = fit_rank(w, p)
    if top_k is not None:
        best = torch.zeros_like(p).scatter(-1, p.topk(top_k, -1).indices, 1.0)
        p = p * best + _NEG_INF * (1 - best)
    if class_id is not None:
        t, p = t[..., class_id].unsqueeze(-1), p[..., class_id].unsqueeze(-1)
    full = torch.ones_like(p) if w is None else w.expand(p.shape)
    if label_weights is not None:
        full = full * torch.as_tensor(label_weights, dtype=dtype, device=p.device)
    t = (t != 0).to(dtype)
    if not multi_label:
        t, p, full = t.reshape(-1, 1), p.reshape(-1, 1), full.reshape(-1, 1)
    else:
        t, p, full = t.reshape(-1, t.shape[-1]), p.reshape(-1, p.shape[-1]), full.reshape(-1, full.shape[-1])
    positive, negative = t * full, (1 - t) * full
    n = len(thresholds)
    if even:
        bucket = torch.ceil(torch.clamp(p, 0.0, 1.0) * (n - 1)) - 1
        if thresholds[0] < 0.0 or thresholds[-1] > 1.0:
            bucket = torch.clamp(bucket, min=0)
        index = torch.where(bucket < 0, n, bucket).to(torch.int64)  # below every threshold: dropped
        empty = torch.zeros((n + 1, p.shape[-1]), dtype=dtype, device=p.device)
        tp = empty.scatter_add(0, index, positive)[:n].flip(0).cumsum(0).flip(0)
        fp = empty.scatter_add(0, index, negative)[:n].flip(0).cumsum(0).flip(0)
    else:
        edges = torch.as_tensor(thresholds, dtype=dtype, device=p.device).reshape(-1, 1, 1)
        said = (p.unsqueeze(0) > edges).to(dtype)
        tp, fp = (said * positive).sum(1), (said * negative).sum(1)
    found = {
        "true_positives": tp, "false_positives": fp, "false_negatives": positive.sum(0) - tp, "true_negatives": negative.sum(0) - fp,
    }  # fmt: skip
    for v, name in zip(variables, which, strict=True):
        v._own().add_(found[name].reshape(v._t.shape))


_update.infer(lambda *args: [])


def _even(thresholds: Any) -> bool:
    if len(thresholds) < 3:
        return False
    return bool(np.allclose(thresholds, np.arange(len(thresholds), dtype=np.float32) / (len(thresholds) - 1), atol=settings.epsilon))


def _thresholds(given: Any, default: float) -> list[float]:
    found = [default] if given is None else list(given) if isinstance(given, (list, tuple, np.ndarray)) else [given]
    wrong = [t for t in found if t is None or (t != _NEG_INF and (t < 0 or t > 1))]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return found


def _no_nan(a: Any, b: Any) -> Any:
    from tf2compat import math

    return math.divide_no_nan(a, b)


class _Confusion(Metric):
    """What the metrics of this file share: which of the four counts they keep, at which thresholds."""

    _which: tuple[str, ...] = _PARTS
    top_k: Any = None
    class_id: Any = None
    thresholds: Any
    _is_even = False

    def _start(self, shape: Any = None) -> None:
        shape = (len(self.thresholds),) if shape is None else shape
        for name in self._which:
            setattr(self, name, self.add_weight(name, shape=shape, initializer="zeros"))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch of labels 0 and 1 and predictions in [0, 1]."""
        (y_true, y_pred), sample_weight = flat_of([y_true, y_pred], sample_weight)
        self._count(_number(y_true), _number(y_pred), sample_weight)

    def _count(self, y_true: Any, y_pred: Any, sample_weight: Any, label_weights: Any = None, multi_label: bool = False) -> None:
        _check(y_true, y_pred)
        _update(
            [getattr(self, n) for n in self._which], y_true, y_pred, _weight(sample_weight), self._which,
            tuple(float(x) for x in self.thresholds), self.top_k, self.class_id, label_weights, multi_label, self._is_even,
        )  # fmt: skip


def _check(y_true: Any, y_pred: Any) -> None:
    """ValueError where the static shapes of symbols are not those of each other's; one may have a last axis of size 1 more."""
    if type(y_pred) is SymbolicTensor and isinstance(y_true, Tensor) and y_true.shape.rank == y_pred.shape.rank:
        check_shapes(y_pred, y_true)


class _OneCount(_Confusion):
    def __init__(self, thresholds: Any, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = _thresholds(thresholds, 0.5)
        self.__dict__["_is_even"] = _even(self.thresholds)
        self.accumulator = self.add_weight("accumulator", shape=(len(self.thresholds),), initializer="zeros")

    def _count(self, y_true: Any, y_pred: Any, sample_weight: Any, label_weights: Any = None, multi_label: bool = False) -> None:
        _check(y_true, y_pred)
        _update(
            [self.accumulator], y_true, y_pred, _weight(sample_weight), self._which, tuple(float(x) for x in self.thresholds), None, None,
            None, False, self._is_even,
        )  # fmt: skip

    def result(self) -> Any:
        return self.accumulator[0] if len(self.thresholds) == 1 else self.accumulator.value()

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"thresholds": self.init_thresholds}


class FalsePositives(_OneCount):
    """The number of false positives (`tf.keras.metrics.FalsePositives`)."""

    _which = ("false_positives",)

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name, dtype)


class FalseNegatives(_OneCount):
    """The number of false negatives (`tf.keras.metrics.FalseNegatives`)."""

    _which = ("false_negatives",)

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name, dtype)


class TrueNegatives(_OneCount):
    """The number of true negatives (`tf.keras.metrics.TrueNegatives`)."""

    _which = ("true_negatives",)

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name, dtype)


class TruePositives(_OneCount):
    """The number of true positives (`tf.keras.metrics.TruePositives`)."""

    _which = ("true_positives",)

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name, dtype)


class _Share(_Confusion):
    def __init__(self, thresholds: Any, top_k: Any, class_id: Any, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self.thresholds = _thresholds(thresholds, 0.5 if top_k is None else _NEG_INF)
        self.__dict__["_is_even"] = _even(self.thresholds)
        self._start()

    def result(self) -> Any:
        first, second = (getattr(self, n) for n in self._which)
        out = _no_nan(first, first + second)
        return out[0] if len(self.thresholds) == 1 else out

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}


class Precision(_Share):
    """True positives among all that were called positive (`tf.keras.metrics.Precision`)."""

    _which = ("true_positives", "false_positives")

    def __init__(self, thresholds: Any = None, top_k: Any = None, class_id: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, top_k, class_id, name, dtype)


class Recall(_Share):
    """True positives among all that are positive (`tf.keras.metrics.Recall`)."""

    _which = ("true_positives", "false_negatives")

    def __init__(self, thresholds: Any = None, top_k: Any = None, class_id: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, top_k, class_id, name, dtype)


def _check_share(name: str, value: float) -> None:
    if value < 0 or value > 1:
        raise ValueError(f"Argument `{name}` must be in the range [0, 1]. Received: {name}={value}")


@op("KerasMaxUnderConstraint", constrained=ANY, dependent=ANY)
def _best(constrained: Any, dependent: Any, value: Any) -> Any:
    feasible = constrained >= value
    low = torch.full_like(dependent, -torch.inf)
    best = torch.where(feasible, dependent, low).max()
    return torch.where(feasible.any(), best, torch.zeros_like(best))


class _AtConstraint(_Confusion):
    _key = ""

    def __init__(self, value: float, num_thresholds: int, class_id: Any, name: str | None, dtype: Any) -> None:
        _check_share(self._key, value)
        super().__init__(name=name, dtype=dtype)
        if num_thresholds <= 0:
            raise ValueError(f"Argument `num_thresholds` must be an integer > 0. Received: num_thresholds={num_thresholds}")
        self.value = value
        self.class_id = class_id
        self.num_thresholds = num_thresholds
        if num_thresholds == 1:
            self.thresholds = [0.5]
        else:
            self.thresholds = [0.0] + [(i + 1) * 1.0 / (num_thresholds - 1) for i in range(num_thresholds - 2)] + [1.0]
            self.__dict__["_is_even"] = True
        self._start()

    def _rates(self) -> tuple[Any, Any]:
        sensitivity = _no_nan(self.true_positives, self.true_positives + self.false_negatives)
        specificity = _no_nan(self.true_negatives, self.true_negatives + self.false_positives)
        return sensitivity, specificity

    def _precisions(self) -> Any:
        return _no_nan(self.true_positives, self.true_positives + self.false_positives)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"class_id": self.class_id, "num_thresholds": self.num_thresholds, self._key: self.value}


class SensitivityAtSpecificity(_AtConstraint):
    """The best sensitivity where specificity is at least a value (`tf.keras.metrics.SensitivityAtSpecificity`)."""

    _key = "specificity"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, class_id: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Any:
        sensitivity, specificity = self._rates()
        return _best(specificity, sensitivity, self.value)


class SpecificityAtSensitivity(_AtConstraint):
    """The best specificity where sensitivity is at least a value (`tf.keras.metrics.SpecificityAtSensitivity`)."""

    _key = "sensitivity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, class_id: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Any:
        sensitivity, specificity = self._rates()
        return _best(sensitivity, specificity, self.value)


class PrecisionAtRecall(_AtConstraint):
    """The best precision where recall is at least a value (`tf.keras.metrics.PrecisionAtRecall`)."""

    _key = "recall"

    def __init__(self, recall: float, num_thresholds: int = 200, class_id: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Any:
        return _best(self._rates()[0], self._precisions(), self.value)


class RecallAtPrecision(_AtConstraint):
    """The best recall where precision is at least a value (`tf.keras.metrics.RecallAtPrecision`)."""

    _key = "precision"

    def __init__(
        self, precision: float, num_thresholds: int = 200, class_id: Any = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Any:
        return _best(self._precisions(), self._rates()[0], self.value)


@op("KerasAUC", tp=ANY, tn=ANY, fp=ANY, fn=ANY)
def _auc(tp: Any, tn: Any, fp: Any, fn: Any, curve: Any, summation: Any, label_weights: Any, multi_label: Any) -> Any:
    def ratio(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.where(b == 0, torch.zeros_like(a), a / torch.where(b == 0, torch.ones_like(b), b))

    if curve == "PR" and summation == "interpolation":
        dtp = tp[:-1] - tp[1:]
        p = tp + fp
        slope = ratio(dtp, torch.clamp(p[:-1] - p[1:], min=0))
        intercept = tp[1:] - slope * p[1:]
        safe = torch.where((p[:-1] > 0) & (p[1:] > 0), ratio(p[:-1], torch.clamp(p[1:], min=0)), torch.ones_like(p[1:]))
        terms = ratio(slope * (dtp + intercept * torch.log(safe)), torch.clamp(tp[1:] + fn[1:], min=0))
    else:
        recall = ratio(tp, tp + fn)
        if curve == "ROC":
            x, y = ratio(fp, fp + tn), recall
        elif curve == "PR":
            x, y = recall, ratio(tp, tp + fp)
        else:
            scale = ratio(tp + fn, fp + tn)
            none = tp == 0
            x = torch.clamp(torch.where(none, torch.zeros_like(tp), 1.0 - scale * ratio(fn, tp)), min=0)
            y = torch.where(none, torch.ones_like(tp), 1.0 - scale * ratio(fp, tp))
        if summation == "interpolation":
            heights = (y[:-1] + y[1:]) / 2.0
        else:
            heights = torch.minimum(y[:-1], y[1:]) if summation == "minoring" else torch.maximum(y[:-1], y[1:])
        terms = (x[:-1] - x[1:]) * heights
    if not multi_label:
        return terms.sum()
    by_label = terms.sum(0)
    if label_weights is None:
        return by_label.mean()
    w = torch.as_tensor(label_weights, dtype=by_label.dtype, device=by_label.device)
    return ratio((by_label * w).sum(), w.sum())


class AUCCurve(enum.Enum):
    """The curves whose area `AUC` measures."""

    ROC = "ROC"
    PR = "PR"
    PR_GAIN = "PRGAIN"

    @staticmethod
    def from_str(key: str) -> AUCCurve:
        """The curve of a name; ValueError for an unknown one."""
        found = {"pr": AUCCurve.PR, "roc": AUCCurve.ROC, "prgain": AUCCurve.PR_GAIN, "pr_gain": AUCCurve.PR_GAIN}.get(str(key).lower())
        if found is None:
            raise ValueError(f'Invalid AUC curve value: "{key}". Expected values are ["PR", "ROC", "PR_GAIN"]')
        return found


class AUCSummationMethod(enum.Enum):
    """How `AUC` adds up the area between two points."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"

    @staticmethod
    def from_str(key: str) -> AUCSummationMethod:
        """The method of a name; ValueError for an unknown one."""
        found = {"interpolation": AUCSummationMethod.INTERPOLATION, "majoring": AUCSummationMethod.MAJORING, "minoring": AUCSummationMethod.MINORING}.get(key)
        if found is None:
            raise ValueError(f'Invalid AUC summation method value: "{key}". Expected values are ["interpolation", "majoring", "minoring"]')
        return found


class AUC(_Confusion):
    """The area under the ROC, PR or PR-gain curve (`tf.keras.metrics.AUC`), from `num_thresholds` points."""

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: Any = "ROC",
        summation_method: Any = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        found = curve if isinstance(curve, AUCCurve) else AUCCurve.from_str(curve)
        summing = summation_method if isinstance(summation_method, AUCSummationMethod) else AUCSummationMethod.from_str(summation_method)
        given = thresholds
        if thresholds is not None:
            num_thresholds = len(thresholds) + 2
            inner = sorted(thresholds)
            even = _even(np.array([0.0, *inner, 1.0]))
        else:
            if num_thresholds <= 1:
                raise ValueError(f"Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}")
            inner = [(i + 1) * 1.0 / (num_thresholds - 1) for i in range(num_thresholds - 2)]
            even = True
        super().__init__(name=name, dtype=dtype)
        self.num_thresholds = num_thresholds
        self.__dict__["_is_even"] = even
        self.__dict__["_given"] = given is not None
        self.__dict__["thresholds"] = [0.0 - settings.epsilon, *inner, 1.0 + settings.epsilon]
        self.curve = found
        self.summation_method = summing
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.__dict__["label_weights"] = None if label_weights is None else host(label_weights).tolist()
        if label_weights is not None and min(self.label_weights) < 0:
            from tf2compat.errors import InvalidArgumentError

            raise InvalidArgumentError(None, None, "All values of `label_weights` must be non-negative.")
        self.__dict__["_from_logits"] = from_logits
        self.__dict__["_built"] = False
        if multi_label:
            if num_labels:
                self._build((None, num_labels))
        else:
            if num_labels:
                raise ValueError("`num_labels` is needed only when `multi_label` is True.")
            self._build(None)

    def _build(self, shape: Any) -> None:
        if self.multi_label:
            if len(shape) != 2:
                raise ValueError(
                    f"`y_pred` must have rank 2 when `multi_label=True`. Found rank {len(shape)}. Full shape received for `y_pred`: {shape}"
                )
            self._start((self.num_thresholds, shape[1]))
        else:
            self._start()
        self.__dict__["_built"] = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        (y_true, y_pred), sample_weight = flat_of([y_true, y_pred], sample_weight)
        y_pred = _number(y_pred)
        if not self._built:
            self._build(tuple(y_pred.shape))
        if self._from_logits:
            from tf2compat import sigmoid

            y_pred = sigmoid(y_pred)
        weights = None if self.multi_label else self.label_weights
        self._count(_number(y_true), y_pred, sample_weight, weights, self.multi_label)

    def result(self) -> Any:
        return _auc(
            self.true_positives, self.true_negatives, self.false_positives, self.false_negatives, self.curve.value, self.summation_method.value,
            self.label_weights, self.multi_label,
        )  # fmt: skip

    def reset_state(self) -> None:
        if self._built:
            super().reset_state()

    def get_config(self) -> dict[str, Any]:
        config = super().get_config() | {
            "num_thresholds": self.num_thresholds, "curve": self.curve.value, "summation_method": self.summation_method.value,
            "multi_label": self.multi_label, "num_labels": self.num_labels, "label_weights": self.label_weights,
            "from_logits": self._from_logits,
        }  # fmt: skip
        if self._given:
            config["thresholds"] = self.thresholds[1:-1]
        return config
