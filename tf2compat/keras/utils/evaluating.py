"""SidecarEvaluator: evaluates the checkpoints that a training elsewhere writes."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.logs import get_logger

_log = get_logger()
#: how long to wait for a first or further checkpoint before saying so
_PATIENCE = 600


class SidecarEvaluator:
    """Evaluates a compiled model on each new checkpoint of a directory (`tf.keras.utils.SidecarEvaluator`).

    The checkpoints are those of `tf.train.Checkpoint(model=…, optimizer=…)` or of `ModelCheckpoint(save_weights_only=True)`, with
    names that end in "-" and a number. `start` returns after the one with number `max_evaluations`, or never without.
    """

    def __init__(
        self, model: Any, data: Any, checkpoint_dir: Any, steps: int | None = None, max_evaluations: int | None = None, callbacks: Any = None
    ) -> None:
        self.model = model
        self.data = data
        self.checkpoint_dir = checkpoint_dir
        self.steps = steps
        self.max_evaluations = max_evaluations
        self.callbacks = callbacks or []

    def _waited(self) -> bool:
        _log.info("No checkpoints appear to be found after %s seconds in %s.", _PATIENCE, self.checkpoint_dir)
        return False

    def _load(self, path: str) -> None:
        kept: dict[str, Any] = {"model": self.model}
        if self.model.optimizer is not None:
            kept["optimizer"] = self.model.optimizer
        tf.train.Checkpoint(**kept).restore(path).expect_partial()
        if "model" not in {name.split("/")[0] for name, _ in tf.train.list_variables(path)}:
            self.model.load_weights(path)

    def start(self) -> None:
        """Evaluate one checkpoint after the other as they come."""
        for path in tf.train.checkpoints_iterator(self.checkpoint_dir, timeout=_PATIENCE, timeout_fn=self._waited):
            try:
                self._load(path)
            except tf.errors.OpError as error:  # it may be in the middle of being written
                if isinstance(error, tf.errors.UnavailableError):
                    raise
                _log.info("The checkpoint %s could not be loaded: %s", path, error)
                continue
            _log.info("Evaluation starts: Model weights loaded from latest checkpoint file %s", path)
            self.model.evaluate(self.data, steps=self.steps, callbacks=self.callbacks, verbose=2)
            _log.info("End of evaluation. Metrics: %s", " ".join(f"{m.name}={m.result()}" for m in self.model.metrics))
            if self.max_evaluations and self.max_evaluations <= int(path.split("-")[-1]):
                _log.info("Last checkpoint evaluated. SidecarEvaluator stops.")
                return
