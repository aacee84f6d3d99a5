"""`compile`, `fit`, `evaluate`, `predict` and the steps they run."""

from __future__ import annotations

import contextlib
import itertools
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from tf2compat._engine import nest, state, strategies
from tf2compat._engine.dtypes import int64
from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable
from tf2compat._top.calling import get_logger
from tf2compat._top.devices import device
from tf2compat.data.randomness import glance

from ..metrics.base import Metric
from .compiling import LossesContainer, MetricsContainer
from .context import calling
from .data import Arrays, batches_of, check_cardinality, is_arrays, sizes_vary, split, to_tensor, unpack, with_class_weights


class Training:
    """The part of a model that is trained."""

    def _start_training(self) -> None:
        d = self.__dict__
        d["_is_compiled"] = False
        if getattr(self, "optimizer", None) is None:
            d["optimizer"] = None  # unless the class has one; `loss` exists once the model is compiled
        d["compiled_loss"] = None
        d["compiled_metrics"] = None
        d["stop_training"] = False
        d["history"] = None
        d["train_function"] = None
        d["test_function"] = None
        d["predict_function"] = None
        d["_run_eagerly"] = None
        d["_compile_config"] = None
        d["_jit_compile"] = None
        d["_steps_per_execution"] = None
        d["_steps_per_execution_tuner"] = None
        d["_autotune_steps_per_execution"] = False
        d["_train_counter"] = None
        d["_distribute_reduction_method"] = None
        d["_distribution_strategy"] = strategies.current()

    # --- compile -----------------------------------------------------------------------------------------------------
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: Any = None,
        jit_compile: Any = None,
        pss_evaluation_shards: Any = 0,
        **kwargs: Any,
    ) -> None:
        """Say how the model is trained. TypeError for unknown keywords; ValueError for unknown names.

        `steps_per_execution` batches are run between callbacks, "auto" finds out how many; `jit_compile=True` compiles the step at once.
        """
        from_file = bool(kwargs.pop("from_serialized", False))
        kwargs.pop("sample_weight_mode", None)  # weights by time step need no mode
        unknown = set(kwargs) - {"experimental_run_tf_function", "cloning", "sample_weight_mode", "target_tensors", "distribute"}
        if kwargs.get("distribute") is not None:
            raise ValueError("`distribute` argument in compile is not available in TF 2.0. Please create the model under the "
                             f"`strategy.scope()`. Received: {kwargs['distribute']}.")  # fmt: skip
        if unknown:
            raise TypeError(f"Invalid keyword argument(s) in `compile()`: {(unknown,)}. Valid keyword arguments include \"cloning\", "
                            '"experimental_run_tf_function", "distribute", "target_tensors", or "sample_weight_mode".')  # fmt: skip
        if kwargs.get("target_tensors") is not None:
            raise ValueError(f"`target_tensors` argument is not supported when executing eagerly. Received: {kwargs['target_tensors']}.")
        if pss_evaluation_shards:
            raise ValueError("`pss_evaluation_shards` needs a parameter server strategy, which there is none of here.")
        d = self.__dict__
        d["_compile_config"] = {
            "optimizer": optimizer, "loss": loss, "metrics": metrics, "loss_weights": loss_weights, "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly, "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        if jit_compile and run_eagerly:
            raise ValueError("You cannot enable `run_eagerly` and `jit_compile` at the same time.")
        self._validate_compile(optimizer, metrics)
        d["_run_eagerly"] = run_eagerly
        names = self.output_names
        with contextlib.nullcontext() if self._distribution_strategy is None else self._distribution_strategy.scope():
            self.optimizer = self._get_optimizer(optimizer)
            d["compiled_loss"] = loss if isinstance(loss, LossesContainer) else LossesContainer(loss, loss_weights, output_names=names)
            d["compiled_metrics"] = MetricsContainer(metrics, weighted_metrics, output_names=names, from_serialized=from_file)
        if steps_per_execution == "auto":
            self._tune_steps_per_execution()
            d["_autotune_steps_per_execution"] = True
        else:
            self._configure_steps_per_execution(steps_per_execution or 1)
        d["_jit_compile"] = jit_compile
        d["loss"] = loss or {}
        self._reset_functions()
        d["_compiled_trainable"] = [(layer.__dict__, layer.__dict__["_trainable"]) for layer in self._flatten_layers()]  # type: ignore[attr-defined]
        d["_is_compiled"] = True
        if d.get("_train_counter") is None:
            with state.outside():
                for counter in ("_train_counter", "_test_counter", "_predict_counter"):
                    d[counter] = Variable(0, dtype=int64, trainable=False)

    @contextlib.contextmanager
    def _as_compiled(self) -> Iterator[None]:
        """What was trainable when the model was compiled is trained, and only that."""
        now = [(d, d["_trainable"], was) for d, was in self.__dict__["_compiled_trainable"] if d["_trainable"] is not was]
        for d, _, was in now:
            d["_trainable"] = was
        try:
            yield
        finally:
            for d, found, _ in now:
                d["_trainable"] = found

    def _validate_compile(self, optimizer: Any, metrics: Any) -> None:
        strategy = strategies.current()
        if strategy is not None and self.built:  # type: ignore[attr-defined]
            for v in self.variables:  # type: ignore[attr-defined]
                if not strategy.extended.variable_created_in_scope(v):
                    raise ValueError(
                        f"Variable ({v}) was not created in the distribution strategy scope of ({strategy}). It is most likely because some "
                        "layers, model, or optimizer was being created outside the distribution strategy scope. Try to make sure your code "
                        "looks similar to the following.\nwith strategy.scope():\n  model=_create_model()\n  model.compile(...)"
                    )
        for m in nest.flatten(metrics):
            if isinstance(m, type) and issubclass(m, Metric):
                raise TypeError(f"Metrics are given as objects, not as classes. Received: {m}, where {m.__name__}() may be meant.")

    def _get_optimizer(self, optimizer: Any) -> Any:
        from .. import optimizers

        found = nest.map_structure(optimizers.get, optimizer) if isinstance(optimizer, (list, tuple)) else optimizers.get(optimizer)
        policy = self.dtype_policy
        if getattr(policy, "name", "") == "mixed_float16" and not hasattr(found, "loss_scale"):
            from ..optimizers.loss_scale import LossScaleOptimizer

            found = LossScaleOptimizer(found)
        return found

    def _reset_functions(self) -> None:
        d = self.__dict__
        d["train_function"] = d["test_function"] = d["predict_function"] = None

    def _check_use(self, method: str) -> None:
        """RuntimeError within a function; ValueError where `call` takes more than what a loop over data gives it."""
        from tf2compat import executing_eagerly

        more = [name for name in self._call_spec.required if name != "training"]  # type: ignore[attr-defined]
        if more:
            raise ValueError(
                f"Models passed to `{method}` can only have `training` and the first argument in `call()` as positional arguments, found: {more}."
            )
        if not executing_eagerly():
            raise RuntimeError(f"Detected a call to `Model.{method}` inside a `tf.function`. `Model.{method} is a high-level endpoint that manages "
                               f"its own `tf.function`. Please move the call to `Model.{method}` outside of all enclosing `tf.function`s. Note "
                               "that you can call a `Model` directly on `Tensor`s inside a `tf.function` like: `model(x)`.")  # fmt: skip

    def _assert_compiled(self) -> None:
        if not self._is_compiled:
            raise RuntimeError("You must compile your model before training/testing. Use `model.compile(optimizer, loss)`.")

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as plain Python instead of as a `tf.function`."""
        from tf2compat import config

        if self._run_eagerly:
            return True
        if self._run_eagerly is False and self.dynamic:  # type: ignore[attr-defined]
            raise ValueError(
                "Your model contains layers that can only be successfully run in eager execution (layers constructed with `dynamic=True`). "
                "You cannot set `run_eagerly=False`."
            )
        return self.dynamic or bool(self._run_eagerly) or config.functions_run_eagerly()  # type: ignore[attr-defined]

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self.__dict__["_run_eagerly"] = value
        self._reset_functions()

    @property
    def jit_compile(self) -> Any:
        return self._jit_compile

    @jit_compile.setter
    def jit_compile(self, value: Any) -> None:
        self.__dict__["_jit_compile"] = value
        self._reset_functions()

    @property
    def steps_per_execution(self) -> Any:
        """How many batches are run between callbacks: a variable, None before `compile`. Assigning a number changes it."""
        return self._steps_per_execution

    @steps_per_execution.setter
    def steps_per_execution(self, value: int) -> None:
        if self._steps_per_execution is None:
            self._configure_steps_per_execution(value)
        else:
            self._steps_per_execution.assign(value)

    def _configure_steps_per_execution(self, value: int) -> None:
        with state.outside(), device("CPU:0"):  # read before each execution
            self.__dict__["_steps_per_execution"] = Variable(value, dtype=int64, trainable=False)

    def _at_once(self) -> int:
        """Steps per execution, now."""
        variable = self._steps_per_execution
        return 1 if variable is None else int(variable)

    def _steps_in(self, iterator: Any, step: Any) -> int:
        """How many of an iterator's batches are for one execution of `step`: all of those that `fit` took for one."""
        if type(iterator) is not _Execution:
            return self._at_once()
        if hasattr(step, "_batches_vary"):  # a function, which may have no trace yet
            step._batches_vary = iterator.vary
        return iterator.count

    def _count_steps(self, batches: Any, given: int | None) -> Any:
        """How many batches an epoch has, None where only its end tells. ValueError where executions of several are to be made of those."""
        found = _steps_of(batches, given)
        if found is None and self._at_once() > 1 and not self._autotune_steps_per_execution:
            raise ValueError("Could not infer the size of the data. With `steps_per_execution > 1`, you must specify the number of steps to run.")
        return found

    @property
    def autotune_steps_per_execution(self) -> bool:
        """Whether `steps_per_execution` is tuned while the model is trained; may be assigned."""
        return self._autotune_steps_per_execution

    @autotune_steps_per_execution.setter
    def autotune_steps_per_execution(self, value: bool) -> None:
        self.__dict__["_autotune_steps_per_execution"] = value
        if value and self._steps_per_execution_tuner is None:
            self._tune_steps_per_execution()

    def _tune_steps_per_execution(self) -> None:
        from ..utils.step_tuning import StepsPerExecutionTuner

        if self._steps_per_execution is None:
            self._configure_steps_per_execution(1)
        self.__dict__["_steps_per_execution_tuner"] = StepsPerExecutionTuner(self.optimizer, self._steps_per_execution)

    @contextlib.contextmanager
    def _tuned(self) -> Iterator[None]:
        """Steps per execution are tuned, if they are to be."""
        tuner = self._steps_per_execution_tuner if self._autotune_steps_per_execution else None
        if tuner is None or tuner.thread is not None and tuner.thread.is_alive() and not tuner.steps_per_execution_stop_event.is_set():
            yield  # not at all, or by the training that this evaluation belongs to
            return
        tuner.start()
        try:
            yield
        finally:
            tuner.stop()

    @property
    def distribute_reduction_method(self) -> str:
        """How what the replicas' steps return becomes one: "auto" and "sum" add tensors of their own up, "first" takes the first's."""
        return self._distribute_reduction_method or "auto"

    @distribute_reduction_method.setter
    def distribute_reduction_method(self, value: str) -> None:
        self.__dict__["_distribute_reduction_method"] = value

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as plain values; None before it."""
        from .serialization import serialize_keras_object

        if self._is_compiled and self._compile_config is not None:
            return {k: serialize_keras_object(v) for k, v in self._compile_config.items()}
        return None

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what `get_compile_config` returned."""
        from .serialization import deserialize_keras_object

        own = type(self).compile is not Training.compile
        if own and type(self).compile_from_config is Training.compile_from_config:  # with what arguments is not known
            get_logger().warning(
                "`compile()` was not called as part of model loading because the model's `compile()` method is custom. All subclassed Models "
                "that have `compile()` overridden should also override `get_compile_config()` and `compile_from_config(config)`. "
                "Alternatively, you can call `compile()` manually after loading."
            )
            return
        self.compile(**deserialize_keras_object(config))
        if hasattr(self.optimizer, "build") and self.built:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    # --- metrics -----------------------------------------------------------------------------------------------------
    @property
    def metrics(self) -> list[Any]:
        """The loss's mean, the compiled metrics and those of the layers."""
        found: list[Any] = []
        if self._is_compiled:
            if self.compiled_loss is not None:
                found += self.compiled_loss.metrics
            if self.compiled_metrics is not None:
                found += self.compiled_metrics.metrics
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            for m in layer.__dict__.get("_metrics", ()):
                if not any(m is f for f in found):
                    found.append(m)
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns."""
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Set all metrics back."""
        for m in self.metrics:
            m.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The present results by name."""
        out: dict[str, Any] = {}
        for m in self.metrics:
            result = m.result()
            if isinstance(result, dict):
                out.update(result)
            elif result is None:
                raise RuntimeError(
                    "The output of `metric.result()` can only be a single Tensor/Variable, or a dict of Tensors/Variables. For metric "
                    f"{m.name}, got result {result}."
                )
            else:
                out[m.name] = result
        return out

    def _by_metrics(self, logs: Any) -> Any:
        """What the metrics say, where the last step's logs are of just those names."""
        try:
            found = self.get_metrics_result()
        except TypeError:
            return logs
        return found if isinstance(logs, dict) and logs.keys() == found.keys() else logs

    # --- steps -------------------------------------------------------------------------------------------------------
    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        """The total loss of a batch; override it for a loss of your own."""
        return self.compiled_loss(y, y_pred, sample_weight, regularization_losses=self.losses)  # type: ignore[attr-defined]

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, Any]:
        """Update the compiled metrics with a batch and return all results."""
        self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def train_step(self, data: Any) -> Any:
        """One step of training; override it for a loop of your own. Returns the logs."""
        from tf2compat._engine.tape import GradientTape

        x, y, sample_weight = unpack(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        self._validate_target_and_loss(y, loss)
        variables = self.trainable_variables  # type: ignore[attr-defined]
        optimizer = self.optimizer
        if hasattr(optimizer, "get_scaled_loss"):
            optimizer.minimize(loss, variables, tape=tape)
        else:
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def _validate_target_and_loss(self, y: Any, loss: Any) -> None:
        if self.loss and y is None:
            raise ValueError(
                "Target data is missing. Your model was compiled with "
                f"loss={self.loss}, and therefore expects target data to be provided in `fit()`."
            )
        if loss is None:
            raise ValueError(
                "No loss found. You may have forgotten to provide a `loss` argument in the `compile()` method."
            )

    def test_step(self, data: Any) -> Any:
        """One step of evaluation. Returns the logs."""
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        self.compute_loss(x, y, y_pred, sample_weight)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One step of prediction. Returns the outputs."""
        x, _, _ = unpack(data)
        return self(x, training=False)  # type: ignore[operator]

    def _as_function(self, step: Any, reduction: str | None = None) -> Any:
        """A step as a `tf.function`, unless the model runs eagerly."""
        if self._distribution_strategy is not None:
            step = strategies.placed(self._distribution_strategy, step, reduction or self.distribute_reduction_method)
        if self.run_eagerly:
            return step
        from tf2compat import function

        return function(step, jit_compile=self._jit_compile or None, reduce_retracing=True)

    def make_train_function(self, force: bool = False) -> Any:
        """The function that `fit` calls with an iterator; override it for own ways of running `train_step`."""
        if self.train_function is not None and not force:
            return self.train_function
        step = self._as_function(self.train_step)
        counter = self._train_counter

        def train_function(iterator: Any) -> Any:
            logs = None
            for _ in range(self._steps_in(iterator, step)):
                logs = step(next(iterator))
                counter._own().add_(1)
            return logs

        self.__dict__["train_function"] = train_function
        self.__dict__["train_tf_function"] = step
        return train_function

    def make_test_function(self, force: bool = False) -> Any:
        """The function that `evaluate` calls with an iterator."""
        if self.test_function is not None and not force:
            return self.test_function
        step = self._as_function(self.test_step)

        counter = self._test_counter

        def test_function(iterator: Any) -> Any:
            logs = None
            for _ in range(self._steps_in(iterator, step)):
                logs = step(next(iterator))
                counter._own().add_(1)
            return logs

        self.__dict__["test_function"] = test_function
        return test_function

    def make_predict_function(self, force: bool = False) -> Any:
        """The function that `predict` calls with an iterator."""
        if self.predict_function is not None and not force:
            return self.predict_function
        step = self._as_function(self.predict_step, "concat")

        def predict_function(iterator: Any) -> Any:
            steps = self._steps_in(iterator, step)
            if steps == 1:
                return step(next(iterator))
            parts = [step(next(iterator)) for _ in range(steps)]
            return nest.map_structure(lambda *found: _concat(found), *parts)

        self.__dict__["predict_function"] = predict_function
        return predict_function

    def _build_in_scope(self, batches: Any, training: bool) -> None:
        before, calling.training = calling.training, training  # as in the step that is to come
        try:
            if self._distribution_strategy is None:
                self._build_for(batches)
            else:
                with self._distribution_strategy.scope():
                    self._build_for(batches)
        finally:
            calling.training = before

    def _build_for(self, batches: Any) -> None:
        """Build for batches of any size, where a model is built for a shape."""

    # --- loops -------------------------------------------------------------------------------------------------------
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """Train for `epochs` passes over the data; returns a History.

        Data are arrays, tensors, frames, a dataset, a generator of batches, a Sequence or a torch DataLoader. RuntimeError before
        `compile`; ValueError for data that do not fit together. `use_multiprocessing` loads batches in threads.
        """
        self._assert_compiled()
        self._check_use("fit")
        _check_workers(use_multiprocessing)
        if epochs < 1:
            raise ValueError(f"Expected epochs to be positive. Received is {epochs}.")
        with self._as_compiled(), self._tuned():
            return self._fit(
                x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle, class_weight, sample_weight,
                initial_epoch, steps_per_epoch, validation_steps, validation_batch_size, validation_freq, max_queue_size, workers,
                use_multiprocessing,
            )  # fmt: skip

    def _fit(
        self, x: Any, y: Any, batch_size: int | None, epochs: int, verbose: Any, callbacks: Any, validation_split: float,
        validation_data: Any, shuffle: Any, class_weight: Any, sample_weight: Any, initial_epoch: int, steps_per_epoch: int | None,
        validation_steps: int | None, validation_batch_size: int | None, validation_freq: Any, max_queue_size: int, workers: int,
        use_multiprocessing: bool,
    ) -> Any:  # fmt: skip
        from ..callbacks import CallbackList

        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split((x, y, sample_weight), validation_split)
        val = unpack(validation_data) if isinstance(validation_data, (list, tuple)) else (validation_data, None, None)
        if validation_data is not None and not isinstance(validation_data, (list, tuple, dict)) and is_arrays(validation_data):
            raise ValueError(f"`validation_data` is a tuple (x, y) or (x, y, sample_weight), or a dataset. Received: {type(validation_data)}")
        batches = batches_of(x, y, sample_weight, batch_size, steps_per_epoch, shuffle, workers, max_queue_size)
        if class_weight:
            batches = with_class_weights(batches, class_weight)
        steps = self._count_steps(batches, steps_per_epoch)
        verbose = _verbosity(verbose)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(callbacks, add_history=True, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=epochs, steps=steps)
        d = self.__dict__
        d["stop_training"] = False
        self._build_in_scope(batches, training=True)
        train_function = self.make_train_function()
        self._train_counter.assign(0)
        callbacks.on_train_begin()
        initial_epoch, first_batch = _resumed(callbacks, initial_epoch, steps)
        trained: Any = None  # an epoch without batches reports what the one before it did
        epoch_logs: Any = None
        loop = _Loop(batches, steps, steps_per_epoch is not None, epochs - initial_epoch)
        d["_validation"] = None
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            logs: Any = None
            for start, end, iterator in loop.epoch(self._at_once, callbacks.on_train_batch_begin, first_batch):
                callbacks.on_train_batch_begin(start)
                logs = train_function(iterator)
                callbacks.on_train_batch_end(end, logs)
                if self.stop_training:
                    break
            if logs is not None:
                trained = _host_logs(self._by_metrics(logs))
            if trained is None:
                raise ValueError(
                    "Unexpected result of `train_function` (Empty logs). This could be due to issues in input pipeline that resulted in an "
                    "empty dataset. Otherwise, please use `Model.compile(..., run_eagerly=True)`, or "
                    "`tf.config.run_functions_eagerly(True)` for more information of where went wrong, or file a issue/bug to `tf.keras`."
                )
            epoch_logs = dict(trained)
            if validation_data is not None and _due(epoch, validation_freq):
                found = self.evaluate(
                    x=val[0], y=val[1], sample_weight=val[2], batch_size=validation_batch_size or batch_size, steps=validation_steps,
                    callbacks=callbacks, max_queue_size=max_queue_size, workers=workers, use_multiprocessing=use_multiprocessing,
                    return_dict=True, _use_cached_eval_dataset=True,
                )  # fmt: skip
                epoch_logs |= {"val_" + k: v for k, v in found.items()}
            callbacks.on_epoch_end(epoch, epoch_logs)
            loop.end_epoch(x)
            first_batch = 0
            if self.stop_training or loop.exhausted:
                break
        d["_validation"] = None
        from ..optimizers.optimizer import Optimizer

        if isinstance(self.optimizer, Optimizer):
            self.optimizer.finalize_variable_values(self.trainable_variables)  # type: ignore[attr-defined]
        callbacks.on_train_end(epoch_logs)
        return self.history

    def _evaluate(self, batches: Any, steps: int | None, callbacks: Any) -> dict[str, Any]:
        self._build_in_scope(batches, training=False)
        test_function = self.make_test_function()
        self._test_counter.assign(0)
        callbacks.on_test_begin()
        self.reset_metrics()
        logs: Any = {}
        loop = _Loop(batches, self._count_steps(batches, steps), steps is not None)
        for start, end, iterator in loop.epoch(self._at_once, callbacks.on_test_batch_begin):
            callbacks.on_test_batch_begin(start)
            logs = test_function(iterator)
            callbacks.on_test_batch_end(end, logs)
        found = _host_logs(self._by_metrics(logs))
        callbacks.on_test_end(found)
        return found

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and metrics on data: a number, a list in the order of `metrics_names`, or a dict."""
        from ..callbacks import CallbackList

        self._assert_compiled()
        self._check_use("evaluate")
        weighted = sample_weight is not None or len(spec) == 3 if isinstance(spec := getattr(x, "element_spec", ()), tuple) else False
        if weighted and self.compiled_metrics.given_weighted is None:
            get_logger().warning(
                "`evaluate()` received a value for `sample_weight`, but `weighted_metrics` were not provided.  Did you mean to pass metrics to "
                "`weighted_metrics` in `compile()`?  If this is intentional you can pass `weighted_metrics=[]` to `compile()` in order to "
                "silence this warning."
            )
        _check_workers(use_multiprocessing)
        again = kwargs.pop("_use_cached_eval_dataset", False)  # `fit` asks for the same data after each epoch
        if kwargs:
            raise TypeError(f"Invalid keyword arguments: {list(kwargs.keys())}")
        batches = self.__dict__.get("_validation") if again else None
        if batches is None:
            batches = batches_of(x, y, sample_weight, batch_size, steps, False, workers, max_queue_size)
            if again:
                self.__dict__["_validation"] = batches
        count = self._count_steps(batches, steps)
        verbose = _verbosity(verbose)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(callbacks, add_history=True, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=count)
        with self._tuned():
            logs = self._evaluate(batches, steps, callbacks)
        if return_dict:
            return logs
        return _in_order(logs, self.metrics_names)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for data, as NumPy arrays."""
        from ..callbacks import CallbackList

        self._check_use("predict")
        _check_workers(use_multiprocessing)
        batches = batches_of(x, None, None, batch_size, steps, False, workers, max_queue_size)
        count = self._count_steps(batches, steps)
        verbose = _verbosity(verbose)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(callbacks, add_history=True, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=count)
        self._build_in_scope(batches, training=False)
        predict_function = self.make_predict_function()
        callbacks.on_predict_begin()
        outputs: list[list[Any]] = []
        structure: Any = None
        loop = _Loop(batches, count, steps is not None)
        for start, end, iterator in loop.epoch(self._at_once, callbacks.on_predict_batch_begin):
            callbacks.on_predict_batch_begin(start)
            structure = batch = predict_function(iterator)
            outputs.append(nest.flatten(batch))
            callbacks.on_predict_batch_end(end, {"outputs": batch})
        if not outputs:
            raise ValueError(
                "Unexpected result of `predict_function` (Empty batch_outputs). Please use `Model.compile(..., run_eagerly=True)`, or "
                "`tf.config.run_functions_eagerly(True)` for more information of where went wrong, or file a issue/bug to `tf.keras`."
            )
        callbacks.on_predict_end()
        joined = [_concat([batch[i] for batch in outputs]) for i in range(len(outputs[0]))]
        return nest.pack_sequence_as(structure, joined)

    # --- single batches ----------------------------------------------------------------------------------------------
    def _one(self, *parts: Any) -> Any:
        found = [nest.map_structure(to_tensor, p) if p is not None else None for p in parts]
        while len(found) > 1 and found[-1] is None:
            found.pop()
        check_cardinality(found)
        return tuple(found)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, reset_metrics: bool = True, return_dict: bool = False
    ) -> Any:
        """One step of training on one batch; the loss and metrics."""
        self._assert_compiled()
        self._check_use("train_on_batch")
        if reset_metrics:
            self.reset_metrics()
        data = self._one(x, y, sample_weight)
        if class_weight:
            data = next(iter(with_class_weights(_Once(data), class_weight)))
        with self._as_compiled():
            logs = _host_logs(self.make_train_function()(_Execution([data])))
        return self._returned(logs, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True, return_dict: bool = False) -> Any:
        """The loss and metrics of one batch."""
        self._assert_compiled()
        self._check_use("test_on_batch")
        if reset_metrics:
            self.reset_metrics()
        logs = _host_logs(self.make_test_function()(_Execution([self._one(x, y, sample_weight)])))
        return self._returned(logs, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs of one batch, as NumPy arrays."""
        self._check_use("predict_on_batch")
        out = self.make_predict_function()(_Execution([self._one(x)]))
        return nest.map_structure(lambda t: t.numpy() if isinstance(t, Tensor) else t, out)

    def _returned(self, logs: dict[str, Any], as_dict: bool) -> Any:
        return logs if as_dict else _in_order(logs, self.metrics_names)

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> Any:
        """Old name of `fit` for generators."""
        warnings.warn("`Model.fit_generator` is deprecated and will be removed in a future version. Please use `Model.fit`, which supports generators.", stacklevel=2)
        return self.fit(
            generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose, callbacks=callbacks, validation_data=validation_data,
            validation_steps=validation_steps, validation_freq=validation_freq, class_weight=class_weight, max_queue_size=max_queue_size,
            workers=workers, use_multiprocessing=use_multiprocessing, shuffle=shuffle, initial_epoch=initial_epoch,
        )  # fmt: skip

    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
    ) -> Any:
        """Old name of `evaluate` for generators."""
        warnings.warn("`Model.evaluate_generator` is deprecated and will be removed in a future version. Please use `Model.evaluate`, which supports generators.", stacklevel=2)
        return self.evaluate(
            generator, steps=steps, callbacks=callbacks, max_queue_size=max_queue_size, workers=workers,
            use_multiprocessing=use_multiprocessing, verbose=verbose,
        )  # fmt: skip

    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
    ) -> Any:
        """Old name of `predict` for generators."""
        warnings.warn("`Model.predict_generator` is deprecated and will be removed in a future version. Please use `Model.predict`, which supports generators.", stacklevel=2)
        return self.predict(
            generator, steps=steps, callbacks=callbacks, max_queue_size=max_queue_size, workers=workers,
            use_multiprocessing=use_multiprocessing, verbose=verbose,
        )  # fmt: skip


for _public in Training.__dict__.values():
    if hasattr(_public, "__qualname__") and not _public.__name__.startswith("_"):  # errors and reprs name the class that users know
        _public.__qualname__ = f"Model.{_public.__name__}"


def _in_order(logs: dict[str, Any], names: list[str]) -> Any:
    """The logs as a list, those of `names` first; one alone as it is."""
    values = [logs[n] for n in names if n in logs]
    values += [logs[k] for k in sorted(logs) if k not in names]
    return values[0] if len(values) == 1 else values


class _Once:
    steps = 1

    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __iter__(self) -> Any:
        yield self.batch


class _Execution:
    """The batches of one execution, which may be fewer than of most; whether they are of a pass over data whose batches may differ in size."""

    __slots__ = ("_batches", "count", "vary")

    def __init__(self, batches: list[Any], vary: bool = False) -> None:
        self.count = len(batches)
        self.vary = vary
        self._batches = iter(batches)

    def __iter__(self) -> Any:
        return self._batches

    def __next__(self) -> Any:
        return next(self._batches)


class _Loop:
    """The batches of one epoch after the other: from the start each time, or going on where steps are counted."""

    def __init__(self, batches: Any, steps: Any, counted: bool, epochs: int = 1) -> None:
        self.batches, self.counted, self.epochs = batches, counted, epochs
        self.steps = None if steps == math.inf else steps
        if steps == math.inf and not counted:
            raise ValueError(
                "When providing an infinite dataset, you must specify the number of steps to run (if you did not intend to create an infinite "
                "dataset, make sure to not call `repeat()` on the dataset)."
            )
        self.again = getattr(batches, "again", True)
        self.vary = sizes_vary(batches)
        self.exhausted = False
        self.shifted = False
        self.iterator: Any = None
        source = getattr(getattr(batches, "inner", batches), "source", None)
        if hasattr(source, "_components") and not counted:
            glance(source)  # Keras makes an iterator that it does not use, which a seeded shuffle draws seeds for

    def epoch(self, at_once: Any, begin: Any, step: int = 0) -> Any:
        """Number of the first batch, of the last, and the batches, of each execution of an epoch that begins with batch number `step`.

        `begin` is called with the number of a batch that was expected and is not there: Keras finds that out within the step.
        """
        going_on = self.counted and not isinstance(self.batches, Arrays) and not getattr(self.batches, "endless", False) or not self.again
        if step and isinstance(self.batches, Arrays):  # a part of an epoch: from then on epochs begin in the middle of the arrays
            self.shifted = True
            self.iterator = itertools.chain.from_iterable(itertools.repeat(self.batches))
        elif not self.shifted and (self.iterator is None or not going_on):
            self.iterator = iter(self.batches)
        limit = self.steps
        while limit is None or step < limit:
            n = at_once() if limit is None else min(at_once(), limit - step)
            taken = []
            for _ in range(n):
                try:
                    taken.append(next(self.iterator))
                except StopIteration:
                    break
            if not taken:
                begin(step)
                if limit is not None:

                    get_logger().warning(
                        "Your input ran out of data; interrupting training. Make sure that your dataset or generator can generate at least "
                        "`steps_per_epoch * epochs` batches (in this case, %s batches). You may need to use the repeat() function when "
                        "building your dataset.", limit * self.epochs,
                    )  # fmt: skip
                    self.exhausted = True
                elif not self.counted:
                    self.steps = step
                break
            yield step, step + len(taken) - 1, _Execution(taken, self.vary)
            step += len(taken)

    def end_epoch(self, source: Any) -> None:
        end = getattr(source, "on_epoch_end", None)
        if end is not None and hasattr(source, "__getitem__"):
            end()


def _resumed(callbacks: Any, initial_epoch: int, steps: Any) -> tuple[int, int]:
    """Epoch and batch at which training begins: where a backup says that an earlier one was interrupted."""
    for callback in callbacks:
        resume = getattr(callback, "_resume", None)
        if resume is not None:
            return resume(initial_epoch, steps)
    return initial_epoch, 0


def _steps_of(batches: Any, given: int | None) -> Any:
    if given is not None and given != -1:
        if given < 1:
            raise ValueError(f"steps_per_epoch must be positive, None or -1. Received {given}. See `Model.fit`.")
        return given
    found = batches.steps
    if found == 0:
        raise ValueError("Expected input data to be non-empty.")
    return found


def _due(epoch: int, freq: Any) -> bool:
    if isinstance(freq, int):
        return (epoch + 1) % freq == 0
    if isinstance(freq, (list, tuple, set)):
        return epoch + 1 in freq
    raise ValueError(f"Expected `validation_freq` to be a list or int. Received: validation_freq={freq} of the type {type(freq)}.")


def _verbosity(verbose: Any) -> int:
    if verbose != "auto":
        return int(verbose)
    from ..utils import is_interactive_logging_enabled

    return 1 if is_interactive_logging_enabled() else 2


def _check_workers(multiprocessing: bool) -> None:
    if multiprocessing:
        warnings.warn("use_multiprocessing loads batches in threads of this process", stacklevel=3)


def _host_logs(logs: Any) -> dict[str, Any]:
    """Logs as Python numbers and arrays."""
    if not isinstance(logs, dict):
        raise TypeError(f"A step must return a dict of logs, got {type(logs).__name__}: {logs!r}")

    def plain(v: Any) -> Any:
        if isinstance(v, (Tensor, Variable)):
            array = np.asarray(v.numpy())
            return array.item() if array.ndim == 0 else array
        return v

    return {k: plain(v) if not nest.is_nested(v) else nest.map_structure(plain, v) for k, v in logs.items()}


def _concat(parts: list[Any]) -> Any:
    if hasattr(type(parts[0]), "_tf_components"):
        from tf2compat import SparseTensor, concat, sparse

        return sparse.concat(0, parts, expand_nonconcat_dims=False) if isinstance(parts[0], SparseTensor) else concat(parts, axis=0)
    arrays = [p.numpy() if isinstance(p, Tensor) else np.asarray(p) for p in parts]
    if len(arrays) == 1:
        return arrays[0]
    first = arrays[0].shape
    uneven = max((i for a in arrays if a.ndim == len(first) for i in range(1, a.ndim) if a.shape[i] != first[i]), default=0)
    if uneven:  # batches of sequences, each as long as its longest
        from tf2compat import RaggedTensor, concat

        return concat([RaggedTensor.from_tensor(a, ragged_rank=uneven) for a in arrays], axis=0)
    return np.concatenate(arrays) if arrays[0].ndim else np.stack(arrays)


