"""`tf.keras.callbacks.TensorBoard`: logs for TensorBoard while training."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

import tf2compat as tf

from .base import Callback, to_host


class TensorBoard(Callback):
    """Writes losses, metrics and (every `histogram_freq` epochs) histograms of the weights (`tf.keras.callbacks.TensorBoard`).

    `update_freq` is "epoch", "batch" or a number of batches. ValueError for embeddings or a batch profile, which are not written.
    """

    def __init__(
        self, log_dir: Any = "logs", histogram_freq: int = 0, write_graph: bool = True, write_images: bool = False,
        write_steps_per_second: bool = False, update_freq: Any = "epoch", profile_batch: Any = 0, embeddings_freq: int = 0,
        embeddings_metadata: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        self._supports_tf_logs = True
        for k in kwargs:
            if k not in ("write_grads", "batch_size", "embeddings_layer_names", "embeddings_data"):
                raise ValueError(f"Unrecognized arguments in `TensorBoard` Callback: {k}")
        if embeddings_freq or embeddings_metadata:
            raise ValueError("TensorBoard(embeddings_freq=…) is not supported by tf2compat yet.")
        if profile_batch not in (0, None, "0"):
            raise ValueError("TensorBoard(profile_batch=…) is not supported by tf2compat yet: use torch.profiler.")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: Any = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, Any] = {}
        self._step = 0
        self._epoch = 0
        self._began = (0.0, 0)

    def _writer(self, kind: str) -> Any:
        found = self._writers.get(kind)
        if found is None:
            found = self._writers[kind] = tf.summary.create_file_writer(os.path.join(self.log_dir, kind))
        return found

    def on_train_begin(self, logs: Any = None) -> None:
        self._step = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._began = (time.time(), self._step)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._step += 1
        if isinstance(self.update_freq, int) and self._step % self.update_freq == 0:
            with self._writer("train").as_default():
                for name, value in to_host(logs).items():
                    tf.summary.scalar("batch_" + name, value, step=self._step)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        found = to_host(logs)
        with self._writer("train").as_default():
            for name, value in found.items():
                if not name.startswith("val_"):
                    tf.summary.scalar("epoch_" + name, value, step=epoch)
            rate = getattr(self.model.optimizer, "learning_rate", None)
            if rate is not None and "lr" not in found:
                tf.summary.scalar("epoch_learning_rate", float(np.asarray(rate)), step=epoch)
            if self.write_steps_per_second:
                seconds, step = self._began
                tf.summary.scalar("epoch_steps_per_second", (self._step - step) / max(time.time() - seconds, 1e-9), step=epoch)
        validation = {k[4:]: v for k, v in found.items() if k.startswith("val_")}
        if validation:
            with self._writer("validation").as_default():
                for name, value in validation.items():
                    tf.summary.scalar("epoch_" + name, value, step=epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            with self._writer("train").as_default():
                for layer in self.model.layers:
                    for weight in layer.weights:
                        name = weight.name.replace(":", "_")
                        tf.summary.histogram(name + "/histogram", weight, step=epoch)
                        if self.write_images:
                            self._image(name, weight, epoch)
        for writer in self._writers.values():
            writer.flush()

    def _image(self, name: str, weight: Any, epoch: int) -> None:
        array = np.squeeze(weight.numpy())
        if array.ndim == 1:
            array = array.reshape(1, -1, 1, 1)
        elif array.ndim == 2:
            array = (array.T if array.shape[0] > array.shape[1] else array)[None, :, :, None]
        elif array.ndim == 3:
            array = array.transpose(2, 0, 1)[..., None]
        if array.ndim == 4 and array.shape[-1] in (1, 3, 4):
            tf.summary.image(name + "/image", array.astype("float32"), step=epoch)

    def on_test_end(self, logs: Any = None) -> None:
        if self.model.optimizer is not None and self.model.__dict__.get("_train_counter") is not None and logs:
            with self._writer("validation").as_default():
                for name, value in to_host(logs).items():
                    tf.summary.scalar(f"evaluation_{name}_vs_iterations", value, step=int(self.model.optimizer.iterations))

    def on_train_end(self, logs: Any = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
