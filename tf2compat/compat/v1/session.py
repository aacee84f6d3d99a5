"""Sessions of version 1, as far as eager programs make them: to configure GPUs, and to hand them to Keras."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

__all__ = ["InteractiveSession", "Session", "get_default_graph", "get_default_session"]

_default: list[Any] = []
_graph: Any = None


class Session:
    """A session of an eager program: it has no graph to run.

    Of its `config` the limit `gpu_options.per_process_gpu_memory_fraction` takes effect; torch takes GPU memory as it is needed, which is
    what `allow_growth` asks for, and the rest concerns graphs in sessions only, as in TensorFlow. TypeError for arguments of other
    types. `run` raises RuntimeError, as TensorFlow's does on an empty graph.
    """

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        if graph is not None and not isinstance(graph, tf.Graph):
            raise TypeError(f'Argument `graph` must be a tf.Graph, but got "{type(graph).__name__}"')
        if config is not None:
            if type(config).__name__ != "ConfigProto":
                raise TypeError(f'Argument `config` must be a tf.ConfigProto, but got "{type(config).__name__}"')
            _limit_memory(config.gpu_options.per_process_gpu_memory_fraction)
        self.graph = get_default_graph() if graph is None else graph
        self.sess_str, self._config = target, config

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        raise RuntimeError(
            "The Session graph is empty. Add operations to the graph before calling run(). (tf2compat has no graph mode: call "
            "functions directly, and decorate them with @tf.function.)"
        )

    def as_default(self) -> Any:
        """The session itself, as the block's default."""
        return self

    def __enter__(self) -> Any:
        _default.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _default.remove(self)

    def close(self) -> None:
        """Nothing is held."""

    def list_devices(self) -> list[Any]:
        return tf.config.list_logical_devices()


class InteractiveSession(Session):
    """A session that is the default one from the start."""

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        _default.append(self)

    def close(self) -> None:
        """It is the default no longer."""
        if self in _default:
            _default.remove(self)


def get_default_session() -> Any:
    return _default[-1] if _default else None


def get_default_graph() -> Any:
    """The graph that is being traced; outside of functions one without nodes, which eager code does not fill."""
    global _graph
    from tf2compat._engine import state

    if state.local.graph is not None:
        return state.local.graph
    if _graph is None:
        _graph = tf.Graph()
    return _graph


def _limit_memory(fraction: float) -> None:
    import torch

    if fraction and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(float(fraction))
