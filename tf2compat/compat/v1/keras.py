"""`tf.compat.v1.keras`: `tf.keras`, with the sessions that its backend was given and the layers of old GPU kernels."""

from __future__ import annotations

import types
from typing import Any

import tf2compat as tf

from . import session

__all__ = ["backend", "layers"]


class _Beside(types.ModuleType):
    """A namespace of `tf.keras` with a few names more."""

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(tf.keras, self.__name__.rpartition(".")[2]), name)


_session: Any = None


def _set_session(value: Any) -> None:
    """Keep the session that `get_session` gives; eager Keras has no use for one."""
    global _session
    _session = value


def _get_session(op_input_list: Any = ()) -> Any:
    """The session that was set, or a new one."""
    global _session
    if _session is None:
        _session = session.get_default_session() or session.Session()
    return _session


backend = _Beside(f"{__name__}.backend", "`tf.keras.backend`, with `set_session` and `get_session`.")
backend.set_session, backend.get_session = _set_session, _get_session  # type: ignore[attr-defined]
layers = _Beside(f"{__name__}.layers", "`tf.keras.layers`, with CuDNNLSTM and CuDNNGRU.")


def _cudnn(kind: str) -> Any:
    def make(
        units: int, kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> Any:  # fmt: skip
        """The layer as it was for cuDNN, whose gates are what today's layer has by default."""
        return getattr(tf.keras.layers, kind)(
            units, kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            **kwargs,
        )  # fmt: skip

    make.__name__ = make.__qualname__ = f"CuDNN{kind}"
    return make


layers.CuDNNLSTM, layers.CuDNNGRU = _cudnn("LSTM"), _cudnn("GRU")  # type: ignore[attr-defined]


def _nothing() -> None:
    """Layers behave as in version 2 already."""


layers.enable_v2_dtype_behavior = _nothing  # type: ignore[attr-defined]


def __getattr__(name: str) -> Any:
    return getattr(tf.keras, name)
