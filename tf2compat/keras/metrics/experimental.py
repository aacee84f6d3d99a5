"""`tf.keras.metrics.experimental`: metrics computed in Python."""

from __future__ import annotations

from typing import Any

from ..._names import module_getattr
from .base import Metric

__all__ = ["PyMetric"]

__getattr__ = module_getattr("tf.keras.metrics.experimental")


class PyMetric(Metric):
    """A metric whose `update_state`, `result` and `reset_state` are plain Python on values (`tf.keras.metrics.experimental.PyMetric`).

    `update_state` gets tensors that have values, also from a traced step; the state is whatever the object keeps in its attributes.
    """

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.reset_state()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls, *args, **kwargs)
        update, result = self.update_state, self.result

        def update_state(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            from tf2compat import py_function

            if sample_weight is None:
                return py_function(lambda t, p: _nothing(update(t, p)), [y_true, y_pred], [])
            return py_function(lambda t, p, w: _nothing(update(t, p, sample_weight=w)), [y_true, y_pred, sample_weight], [])

        def found() -> Any:
            from tf2compat import numpy_function

            return numpy_function(lambda: _array(result(), self.dtype), [], self.dtype)

        object.__setattr__(self, "update_state", update_state)
        object.__setattr__(self, "result", found)
        return self

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        raise NotImplementedError("Subclasses should implement `update_state`")

    def result(self) -> Any:
        """The metric's present value, a Python or NumPy number."""
        raise NotImplementedError("Subclasses should implement `result`")

    def reset_state(self) -> None:
        """Set the object's state back."""
        raise NotImplementedError("Subclasses should implement `reset_state`")


def _nothing(_: Any) -> list[Any]:
    return []


def _array(value: Any, dtype: Any) -> Any:
    import numpy as np

    return np.asarray(value, dtype)
