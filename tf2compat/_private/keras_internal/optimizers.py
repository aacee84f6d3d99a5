"""`tf.keras.__internal__.optimizers`."""

from __future__ import annotations

from typing import Any

__all__ = ["convert_to_legacy_optimizer"]

_NEW = ("weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency", "jit_compile", "is_legacy_optimizer")


def convert_to_legacy_optimizer(optimizer: Any) -> Any:
    """The optimizer of `tf.keras.optimizers.legacy` with the options of one of today's. ValueError for anything else."""
    import tf2compat as tf

    optimizers = tf.keras.optimizers
    if not isinstance(optimizer, optimizers.Optimizer) or isinstance(optimizer, optimizers.legacy.Optimizer):
        raise ValueError(
            "`convert_to_legacy_optimizer` should only be called on instances of `tf.keras.optimizers.Optimizer`, but received "
            f"{optimizer} of type {type(optimizer)}."
        )
    config = {k: v for k, v in optimizer.get_config().items() if k not in _NEW}
    schedule = getattr(optimizer, "_learning_rate", None)
    if isinstance(schedule, optimizers.schedules.LearningRateSchedule):
        config["learning_rate"] = schedule
    return getattr(optimizers.legacy, type(optimizer).__name__)(**config)
