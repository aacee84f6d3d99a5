"""`tf.keras.callbacks.TensorBoard`: a training's metrics, weights and graph as summaries."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import numpy as np

from tf2compat import _ports, summary
from tf2compat._engine.logs import get_logger
from tf2compat._engine.tensor import wrap
from tf2compat._files import write_atomic

from .base import Callback, to_host

log = get_logger()


def _profiled_batches(given: Any) -> tuple[int, int] | None:
    """First and last batch to profile; None for none."""
    message = (
        "profile_batch must be a non-negative integer or 2-tuple of positive integers. A pair of positive integers signifies a range of "
        f"batches to profile. Found: {given}"
    )
    if isinstance(given, str):
        given = [int(part) for part in given.split(",")] if "," in given else int(given)
    if isinstance(given, (list, tuple)) and len(given) == 2:
        first, last = (int(v) for v in given)
    elif isinstance(given, int):
        first = last = given
    else:
        raise ValueError(message)
    if first < 0 or last < first:
        raise ValueError(message)
    return None if last == 0 else (max(first, 1), last)


class TensorBoard(Callback):
    """Writes what TensorBoard shows (`tf.keras.callbacks.TensorBoard`): to `log_dir`/train and `log_dir`/validation.

    `update_freq` is "epoch", "batch" or a number of batches; `histogram_freq` and `embeddings_freq` are epochs (0: never);
    `profile_batch` is a batch, or a pair of batches, to profile with torch's profiler (0: none).
    """

    def __init__(
        self, log_dir: Any = "logs", histogram_freq: int = 0, write_graph: bool = True, write_images: bool = False,
        write_steps_per_second: bool = False, update_freq: Any = "epoch", profile_batch: Any = 0, embeddings_freq: int = 0,
        embeddings_metadata: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        self._supports_tf_logs = True
        for name in ("write_grads", "embeddings_layer_names", "embeddings_data", "batch_size"):
            if kwargs.pop(name, None):
                if name == "batch_size":
                    log.warning("`batch_size` is no longer needed in the `TensorBoard` Callback and will be ignored in TensorFlow 2.0.")
                else:
                    log.warning("`%s` will be ignored in TensorFlow 2.0 for the `TensorBoard` Callback.", name)
        if kwargs:
            raise ValueError(f"Unrecognized arguments in `TensorBoard` Callback: {list(kwargs)}")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._profiled = _profiled_batches(profile_batch)
        self._profiling = False
        self._writers: dict[str, Any] = {}
        self._scopes: list[Any] = []
        self._outer = 0
        self._test_step = 0
        self._train_step = 0
        self._graph_written = False

    # --- writers -----------------------------------------------------------------------------------------------------
    def set_model(self, model: Any) -> None:
        self.model = model
        self._writers = {}
        self._graph_written = False
        if self.write_graph:
            self._write_keras_model()
        if self.embeddings_freq:
            self._configure_embeddings()

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            self._writers[name] = summary.create_file_writer(os.path.join(self.log_dir, name))
        return self._writers[name]

    def _write_keras_model(self) -> None:
        if not (getattr(self.model, "_is_graph_network", False) or type(self.model).__name__ == "Sequential"):
            return
        try:
            text = self.model.to_json()
        except Exception as error:  # noqa: BLE001 - a model without a config is still trained
            log.warning("Model failed to serialize as JSON. Ignoring... %s", error)
            return
        events = _ports.load("events", "tensorboard")
        value = np.empty((), object)
        value[()] = text.encode()
        self._writer("train")._emit(events.summary_event(0, "keras", value, events.plugin("graph_keras_model")))

    def _write_train_graph(self) -> None:
        self._graph_written = True
        step = self.model.train_function
        cells = [cell.cell_contents for cell in getattr(step, "__closure__", None) or ()]
        functions = [f for f in [step, *cells] if hasattr(f, "_list_all_concrete_functions")]
        found = [concrete for f in functions for concrete in f._list_all_concrete_functions()]
        if found:
            with self._writer("train").as_default(), summary.record_if(True):
                summary.graph(found[-1].graph)

    # --- training ----------------------------------------------------------------------------------------------------
    def on_train_begin(self, logs: Any = None) -> None:
        self._train_step = int(self.model._train_counter) if self.model.__dict__.get("_train_counter") is not None else 0
        self._epoch_start_step = self._train_step
        if self.update_freq != "epoch":
            # Summaries that the model itself writes go to the same place, as often.
            every = int(self.update_freq)
            due = summary.record_if(lambda: self._train_step % every == 0)
            self._enter(self._writer("train").as_default(step=self.model._train_counter), due)

    def _enter(self, *scopes: Any) -> None:
        for scope in scopes:
            scope.__enter__()
            self._scopes.append(scope)

    def _leave(self, depth: int) -> None:
        while len(self._scopes) > depth:
            self._scopes.pop().__exit__(None, None, None)

    def on_train_end(self, logs: Any = None) -> None:
        self._leave(0)
        if self._profiling:
            self._stop_profile()
        for writer in self._writers.values():
            writer.close()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._train_step += 1
        self._batch_start = time.time()
        if self._profiled is not None and not self._profiling and self._profiled[0] <= self._train_step <= self._profiled[1]:
            self._profiling = True
            summary.trace_on(graph=False, profiler=True, profiler_outdir=os.path.join(self.log_dir, "train"))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.write_graph and not self._graph_written:
            self._write_train_graph()
        if self.update_freq != "epoch" and batch % int(self.update_freq) == 0:
            with self._writer("train").as_default(), summary.record_if(True):
                if self.write_steps_per_second:
                    summary.scalar("batch_steps_per_second", 1.0 / max(time.time() - self._batch_start, 1e-9), step=self._train_step)
                for name, value in to_host(logs).items():
                    summary.scalar("batch_" + name, value, step=self._train_step)
        if self._profiling and self._profiled is not None and self._train_step >= self._profiled[1]:
            self._stop_profile()

    def _stop_profile(self) -> None:
        self._profiling = False
        self._profiled = None
        summary.trace_export("profile", step=self._train_step)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_start = time.time()
        self._epoch_start_step = self._train_step

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._log_epoch(epoch, dict(to_host(logs)) if logs else {})
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._log_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            from tf2compat.train import CheckpointOptions

            path = os.path.join(self.log_dir, "train", f"keras_embedding.ckpt-{epoch}")
            self.model.save_weights(path, options=CheckpointOptions(experimental_format="tensorflow"))
            self._write_embeddings()

    def _log_epoch(self, epoch: int, logs: dict[str, Any]) -> None:
        if not logs:
            return
        from ..optimizers.schedules import LearningRateSchedule

        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        optimizer = getattr(self.model, "optimizer", None)
        schedule = getattr(optimizer, "_learning_rate", None) or getattr(optimizer, "lr", None)  # of a new optimizer, or of a legacy one
        if isinstance(schedule, LearningRateSchedule):
            train["learning_rate"] = float(schedule(optimizer.iterations))  # type: ignore[union-attr]
        if self.write_steps_per_second:
            train["steps_per_second"] = (self._train_step - self._epoch_start_step) / max(time.time() - self._epoch_start, 1e-9)
        validation = {name[len("val_") :]: value for name, value in logs.items() if name.startswith("val_")}
        for where, values in (("train", train), ("validation", validation)):
            if values:
                with self._writer(where).as_default(), summary.record_if(True):
                    for name, value in values.items():
                        summary.scalar("epoch_" + name, value, step=epoch)

    def _validation_writer(self) -> Any:
        if getattr(self._writer("validation"), "_closed", False):  # evaluate() after fit()
            del self._writers["validation"]
        return self._writer("validation")

    def on_test_begin(self, logs: Any = None) -> None:
        self._outer = len(self._scopes)
        if self.update_freq != "epoch":
            every = int(self.update_freq)
            self._test_step = 0
            due = summary.record_if(lambda: self._test_step % every == 0)
            self._enter(self._validation_writer().as_default(step=self.model._test_counter), due)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._test_step = batch

    def on_test_end(self, logs: Any = None) -> None:
        self._leave(self._outer)
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is None or not logs:
            return
        writer = self._validation_writer()
        with writer.as_default(), summary.record_if(True):
            for name, value in to_host(logs).items():
                summary.scalar(f"evaluation_{name}_vs_iterations", value, step=int(optimizer.iterations))

    # --- weights -----------------------------------------------------------------------------------------------------
    def _log_weights(self, epoch: int) -> None:
        with self._writer("train").as_default(), summary.record_if(True):
            for layer in self.model.layers:
                for weight in layer.weights:
                    name = weight.name.replace(":", "_")
                    summary.histogram(name + "/histogram", weight, step=epoch)
                    if self.write_images:
                        picture = _as_image(weight.numpy())
                        if picture is not None:
                            summary.image(name + "/image", picture, step=epoch)
        self._writer("train").flush()

    def _configure_embeddings(self) -> None:
        from ..layers import Embedding

        layers = [layer for layer in self.model.layers if isinstance(layer, Embedding)]
        given = self.embeddings_metadata
        unknown = set(given) - {layer.name for layer in layers} if isinstance(given, dict) else set()
        if unknown:
            raise ValueError(
                f"Unrecognized `Embedding` layer names passed to `keras.callbacks.TensorBoard` `embeddings_metadata` argument: {unknown}"
            )
        weighted = [layer for layer in self.model.layers if layer.weights or isinstance(layer, Embedding)]
        entries = []
        for layer in layers:
            place = f"layer_with_weights-{weighted.index(layer)}/embeddings/.ATTRIBUTES/VARIABLE_VALUE"
            metadata = given if isinstance(given, str) else (given or {}).get(layer.name)
            shown = f"  metadata_path: {json.dumps(os.fspath(metadata))}\n" if metadata else ""
            values = f"  tensor_path: {json.dumps(layer.name.replace('/', '_') + '.tsv')}\n"
            entries.append(f'embeddings {{\n  tensor_name: "{place}"\n{shown}{values}}}\n')
        os.makedirs(self.log_dir, exist_ok=True)
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
            file.write("".join(entries))


    def _write_embeddings(self) -> None:
        """The embeddings as tables: a TensorBoard without TensorFlow cannot read them from a checkpoint."""
        from ..layers import Embedding

        for layer in self.model.layers:
            if isinstance(layer, Embedding):
                path = os.path.join(self.log_dir, "train", layer.name.replace("/", "_") + ".tsv")
                rows = ("\t".join(map(str, row)) for row in layer.embeddings.numpy().astype(np.float32).tolist())
                write_atomic(path, ("\n".join(rows) + "\n").encode())


def _as_image(weight: np.ndarray) -> Any:
    """A weight as images (k, height, width, channels) from 0 to 1, as Keras shows it; None when it has no such form."""
    array = np.squeeze(np.asarray(weight, np.float32))
    if array.ndim == 1:
        array = array.reshape(1, -1, 1, 1)
    elif array.ndim == 2:
        if array.shape[0] > array.shape[1]:
            array = array.T
        array = array.reshape(1, *array.shape, 1)
    elif array.ndim == 3:
        array = array.transpose(2, 0, 1)[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3, 4):
        return None
    low, high = array.min(), array.max()
    import torch

    return wrap(torch.from_numpy(np.ascontiguousarray((array - low) / (high - low) if high > low else array - low)))
