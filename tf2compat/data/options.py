"""`tf.data.Options`: how a pipeline may run."""

from __future__ import annotations

import enum
from typing import Any


class AutoShardPolicy(enum.IntEnum):
    """How a distributed dataset is split (`tf.data.experimental.AutoShardPolicy`)."""

    OFF = -1
    AUTO = 0
    FILE = 1
    DATA = 2
    HINT = 3


class AutotuneAlgorithm(enum.Enum):
    """TensorFlow's ways of tuning parallelism (`tf.data.experimental.AutotuneAlgorithm`)."""

    DEFAULT = 0
    HILL_CLIMB = 1
    GRADIENT_DESCENT = 2
    MAX_PARALLELISM = 3
    STAGE_BASED = 4


class ExternalStatePolicy(enum.Enum):
    """What to do about state outside a pipeline when it is saved (`tf.data.experimental.ExternalStatePolicy`)."""

    WARN = 0
    IGNORE = 1
    FAIL = 2


class _Settings:
    """Named settings with defaults; an unknown name is an error."""

    _defaults: dict[str, Any] = {}

    def __init__(self) -> None:
        for name, value in self._defaults.items():
            object.__setattr__(self, name, value() if isinstance(value, type) else value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._defaults:
            raise AttributeError(f"Cannot set the property {name} on {type(self).__name__}.")
        object.__setattr__(self, name, value)

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and all(getattr(self, n) == getattr(other, n) for n in self._defaults)

    def __ne__(self, other: Any) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def _merged(self, other: Any) -> Any:
        out = type(self)()
        for name, default in self._defaults.items():
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, _Settings):
                object.__setattr__(out, name, mine._merged(theirs))
            else:
                plain = default() if isinstance(default, type) else default
                object.__setattr__(out, name, mine if theirs == plain else theirs)
        return out


class AutotuneOptions(_Settings):
    """`options.autotune`. There is nothing to tune: stages run as `Dataset.explain()` says. Without it (`enabled` False), maps that do not ask for
    threads have none."""

    _defaults = {
        "enabled": None, "cpu_budget": None, "ram_budget": None, "autotune_algorithm": None, "initial_parallelism": None,
        "min_parallelism": None,
    }  # fmt: skip


class DistributeOptions(_Settings):
    """`options.experimental_distribute`."""

    _defaults = {"auto_shard_policy": AutoShardPolicy.AUTO, "num_devices": None}


class OptimizationOptions(_Settings):
    """`options.experimental_optimization`: TensorFlow's graph rewrites of pipelines. Fusion here depends on none of them; without
    `map_parallelization`, or without any of the rewrites that are usual, maps that do not ask for threads have none."""

    _defaults = {
        "apply_default_optimizations": None, "filter_fusion": None, "filter_parallelization": None, "inject_prefetch": None,
        "map_and_batch_fusion": None, "map_and_filter_fusion": None, "map_fusion": None, "map_parallelization": None,
        "noop_elimination": None, "parallel_batch": None, "seq_interleave_prefetch": None, "shuffle_and_repeat_fusion": None,
        "warm_start": None,
    }  # fmt: skip


class ServiceOptions(_Settings):
    """`options.experimental_service`: TensorFlow's data service, which is not here."""

    _defaults = {"pinned": None}


class ThreadingOptions(_Settings):
    """`options.threading`: sizes of thread pools (`tf.data.ThreadingOptions`)."""

    _defaults = {"max_intra_op_parallelism": None, "private_threadpool_size": None}


class Options(_Settings):
    """Options of a dataset (`tf.data.Options`): `deterministic`, `threading`, and settings of TensorFlow's runtime."""

    _defaults = {
        "autotune": AutotuneOptions, "dataset_name": None, "deterministic": None, "experimental_deterministic": None,
        "experimental_distribute": DistributeOptions, "experimental_external_state_policy": None,
        "experimental_optimization": OptimizationOptions, "experimental_service": ServiceOptions, "experimental_slack": None,
        "experimental_symbolic_checkpoint": None, "experimental_threading": ThreadingOptions, "experimental_warm_start": None,
        "framework_type": list, "threading": ThreadingOptions,
    }  # fmt: skip

    def threads_unasked(self) -> bool:
        """Whether maps may run in threads that they do not ask for."""
        rewrites = self.experimental_optimization
        wanted = rewrites.map_parallelization
        if wanted is None:
            wanted = rewrites.apply_default_optimizations
        return self.autotune.enabled is not False and wanted is not False

    def merge(self, options: Options) -> Options:
        """These options, overridden by what `options` sets."""
        return self._merged(options)
