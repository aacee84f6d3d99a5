"""The module bridge: `tf2compat.to_torch` and `tf2compat.from_torch`, between Keras layers and `torch.nn.Module`s.

Both sides share the memory of the weights: an optimizer of either library trains them, and the other sees it.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import torch

from tf2compat._engine import nest, state
from tf2compat._engine.devices import accelerated, current
from tf2compat._engine.op import ANYS, op
from tf2compat._engine.tensor import Tensor, wrap
from tf2compat._engine.variable import Variable


def _key(name: str) -> str:
    """A variable's name as a parameter's: torch allows no dots and uses none of TensorFlow's slashes."""
    return re.sub(r"[^0-9A-Za-z_]", "_", name.split(":")[0])


def _unwrap(value: Any) -> Any:
    if isinstance(value, (Tensor, Variable)):
        return value._t
    return value


def _wrap(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return wrap(value)
    return value


class KerasModule(torch.nn.Module):
    """A Keras model, layer or `tf.Module` as a torch module. Its parameters are the variables' own memory."""

    def __init__(self, source: Any) -> None:
        super().__init__()
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "_variables", [])
        names: set[str] = set()
        trainable = {id(v) for v in source.trainable_variables}
        for variable in source.variables:
            name = base = _key(variable.name)
            number = 1
            while name in names:
                name, number = f"{base}_{number}", number + 1
            names.add(name)
            data = variable._own()  # no reader, and no checkpoint in the making, sees what the module does to it
            if not isinstance(data, torch.Tensor):
                continue  # strings have no torch form
            if id(variable) in trainable and (data.is_floating_point() or data.is_complex()):
                self.register_parameter(name, torch.nn.Parameter(data.detach()))
            else:
                self.register_buffer(name, data.detach())
            variable._pinned = True
            self._variables.append((name, variable))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the model on torch tensors; `training` follows `module.train()` and `module.eval()` unless it is given."""
        placed = []
        mapped = nest.map_structure(_wrap, (list(args), kwargs))
        spec = getattr(self.source, "_call_spec", None)
        if spec is not None and spec.training and "training" not in mapped[1]:
            mapped[1]["training"] = self.training
        try:
            for name, variable in self._variables:
                here = self._parameters.get(name)
                if here is None:
                    here = self._buffers[name]
                placed.append((variable, variable._t, here))
                # As a leaf of torch's own graph: no tape is needed.
                variable.__dict__["_t"] = here
            with _Torch():
                out = self.source(*mapped[0], **mapped[1])
                return nest.map_structure(_unwrap, out)
        finally:
            for variable, before, here in placed:
                # A layer may have assigned its variable (a moving average): that value stays.
                if variable._t is not here:
                    with torch.no_grad():
                        here.copy_(variable._t)
                variable.__dict__["_t"] = here.detach() if here is not before else before


class _Torch:
    """Within the block, tensors keep torch's history, as inside a tape that watches everything."""

    def __enter__(self) -> None:
        from tf2compat._engine.tape import GradientTape

        self._tape = GradientTape(persistent=True, watch_accessed_variables=False)
        self._tape.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._tape.__exit__(*exc)  # type: ignore[arg-type]


def to_torch(source: Any) -> torch.nn.Module:
    """A torch module that runs a built Keras model, layer or `tf.Module` and shares its weights.

    It trains with torch's optimizers, and its `state_dict` holds the variables under their names. Raises ValueError before the weights are there.
    """
    if hasattr(source, "built") and not source.built:
        raise ValueError(f"{source!r} has no weights yet: call it on data, or build it, before to_torch.")
    if not callable(source) or not hasattr(source, "variables"):
        raise TypeError(f"to_torch takes a Keras model or layer, or a callable tf.Module, not {type(source).__name__}.")
    return KerasModule(source)


@op("TorchModule", multi=True, stateful=True, tensors=ANYS, parameters=ANYS)
def _run(tensors: Any, parameters: Any, call: Any) -> Any:
    return call(tensors, parameters)


@functools.cache
def _layer_class() -> Any:
    from tf2compat.keras._base.layer import Layer

    class TorchLayer(Layer):
        """A torch module as a Keras layer: its parameters are the layer's trainable weights, its buffers the others.

        The module moves to where the program's tensors are: to the GPU where there is one and no `tf.device` says otherwise.
        """

        def __init__(self, module: torch.nn.Module, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            if accelerated():
                module.to(current())  # where inputs will be
            self.__dict__["module"] = module
            self.__dict__["_names"] = []
            with state.outside():
                for kind, entries in (("parameter", module.named_parameters()), ("buffer", module.named_buffers())):
                    for name, value in entries:
                        trainable = kind == "parameter" and value.requires_grad
                        variable = Variable(wrap(value.detach()), trainable=trainable, name=f"{self.name}/{name.replace('.', '/')}")
                        variable.__dict__["_t"] = value.detach()
                        variable._pinned = True
                        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)
                        self._track_trackable(variable, name.replace(".", "_"))
                        self._names.append((name, variable))
            self.built = True

        def call(self, inputs: Any, training: Any = None) -> Any:
            given = nest.flatten(inputs)
            structure: list[Any] = []
            train = bool(training) if not isinstance(training, Tensor) else True

            def run(tensors: list[Any], parameters: list[Any]) -> Any:
                packed = nest.pack_sequence_as(inputs, list(tensors))
                values = {name: value for (name, _), value in zip(self._names, parameters, strict=True)}
                mode = self.module.training
                self.module.train(train)
                try:
                    args = tuple(packed) if isinstance(packed, (list, tuple)) else (packed,)
                    out = torch.func.functional_call(self.module, values, args)
                finally:
                    self.module.train(mode)
                structure[:] = [nest.map_structure(lambda v: None, out)]
                for name, variable in self._names:
                    value = values[name]
                    if not variable.trainable and value is not variable._t and value.device.type != "meta":
                        variable._t.copy_(value.detach())
                return tuple(nest.flatten(out))

            results = _run(given, [variable.value() for _, variable in self._names], run)
            flat = list(results) if isinstance(results, (list, tuple)) else [results]
            return nest.pack_sequence_as(structure[0], flat) if nest.is_nested(structure[0]) else flat[0]

        def get_config(self) -> dict[str, Any]:
            raise NotImplementedError(
                "A layer made by from_torch has no configuration: the torch module is Python code. Save its weights (save_weights, "
                "tf.train.Checkpoint) and make the layer again around a module of the same kind."
            )

    return TorchLayer


def from_torch(module: torch.nn.Module, **kwargs: Any) -> Any:
    """A Keras layer around a torch module, with shared weights; `kwargs` are the layer's (`name`, …).

    Its gradients are the tape's, it can be part of any Keras model, and checkpoints hold its weights. TypeError for what is no module.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"from_torch takes a torch.nn.Module, not {type(module).__name__}.")
    return _layer_class()(module, **kwargs)


