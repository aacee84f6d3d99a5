"""Sessions of version 1, as far as eager programs make them: to configure devices, and to hand them to Keras."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

__all__ = ["ConfigProto", "GPUOptions", "InteractiveSession", "Session", "get_default_session"]


class _Options:
    """Settings as attributes; what names a group of settings is one itself."""

    _groups: tuple[str, ...] = ()

    def __init__(self, **settings: Any) -> None:
        for group in self._groups:
            self.__dict__[group] = _Options()
        for key, value in settings.items():
            setattr(self, key, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = self.__dict__[name] = _Options() if name.endswith("options") else None
        return value


class GPUOptions(_Options):
    """How GPU memory is taken: `allow_growth` and `per_process_gpu_memory_fraction`."""


class ConfigProto(_Options):
    """The settings of a session. torch takes GPU memory as it is needed, which is what `gpu_options.allow_growth` asks for."""

    _groups = ("gpu_options", "graph_options", "device_count")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        if "device_count" not in settings:
            self.device_count: dict[str, int] = {}


_default: list[Any] = []


class Session:
    """A session of an eager program: it has no graph to run, but its settings take effect.

    `intra_op_parallelism_threads` and `inter_op_parallelism_threads` set the numbers of threads, as `tf.config.threading` does, and
    `gpu_options.per_process_gpu_memory_fraction` limits the memory. `run` raises RuntimeError, as TensorFlow's does on an empty graph.
    """

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph, self.sess_str, self._config = graph, target, config
        if config is not None:
            _apply(config)

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        raise RuntimeError(
            "The Session graph is empty. Add operations to the graph before calling run(). (tf2compat has no graph mode: call "
            "functions directly, and decorate them with @tf.function.)"
        )

    def as_default(self) -> Any:
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
        if self in _default:
            _default.remove(self)


def get_default_session() -> Any:
    return _default[-1] if _default else None


def _apply(config: Any) -> None:
    import torch

    for key, setter in (
        ("intra_op_parallelism_threads", tf.config.threading.set_intra_op_parallelism_threads),
        ("inter_op_parallelism_threads", tf.config.threading.set_inter_op_parallelism_threads),
    ):
        count = getattr(config, key, None)
        if count:
            setter(int(count))
    fraction = getattr(getattr(config, "gpu_options", None), "per_process_gpu_memory_fraction", None)
    if fraction and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(float(fraction))
