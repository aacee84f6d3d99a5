"""`tf.saved_model.load`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from tf2compat import _ports, errors
from tf2compat._engine import dtypes, state
from tf2compat._engine.graph_json import GraphReader, held_object
from tf2compat._engine.shapes import TensorShape
from tf2compat._engine.tensor import wrap
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable, VariableAggregation, VariableSynchronization
from tf2compat._engine.wrappers import ListWrapper, _DictWrapper
from tf2compat._files import os_error
from tf2compat.saved_model import _layout
from tf2compat.saved_model._functions import LoadedFunction, Signature, read_concrete
from tf2compat.saved_model._objects import UserObject
from tf2compat.train import _formats
from tf2compat.train._tensors import to_tensor
from tf2compat.train.checkpoint import Checkpoint

_MAX_FILE = 1 << 31
_MAX_ELEMENTS = 1 << 36


class LoadOptions:
    """How a SavedModel is read (`tf.saved_model.LoadOptions`)."""

    def __init__(
        self,
        allow_partial_checkpoint: bool = False,
        experimental_io_device: str | None = None,
        experimental_skip_checkpoint: bool = False,
        experimental_variable_policy: Any = None,
        experimental_load_function_aliases: bool = False,
    ) -> None:
        if experimental_variable_policy or experimental_load_function_aliases:
            raise ValueError("LoadOptions: experimental_variable_policy and experimental_load_function_aliases are not supported by tf2compat.")
        self.allow_partial_checkpoint = allow_partial_checkpoint
        self.experimental_io_device = experimental_io_device
        self.experimental_skip_checkpoint = experimental_skip_checkpoint


class _UserObject(UserObject):
    """Of no class that is known here."""


class _CallableObject(_UserObject):
    """An object of a loaded SavedModel that can be called."""

    @property
    def __call__(self) -> Any:
        """The restored function, with its traces."""
        return self.__dict__["_functions"]["__call__"]


_CallableObject.__name__ = _CallableObject.__qualname__ = "_UserObject"  # TensorFlow makes a class of this name for each object

class _SignatureMap(Mapping):
    """The signatures of a loaded SavedModel by name."""

    def __init__(self, found: dict[str, Signature]) -> None:
        self._found = found

    def __getitem__(self, key: str) -> Signature:
        return self._found[key]

    def __iter__(self) -> Any:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"_SignatureMap({self._found})"


def read_file(path: str) -> bytes:
    """A file's content, within bounds."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > _MAX_FILE:
                raise errors.DataLossError(None, None, f"{path}: {size} bytes are implausibly many")
            return file.read(size)
    except OSError as error:
        raise os_error(error, path) from error


def contains_saved_model(export_dir: Any) -> bool:
    """Whether a directory holds a SavedModel (`tf.saved_model.contains_saved_model`)."""
    return os.path.isfile(os.path.join(_formats.path_text(export_dir), _layout.PROTO))


def load(export_dir: Any, tags: Any = None, options: LoadOptions | None = None) -> Any:
    """Reads a SavedModel (`tf.saved_model.load`): an object with the saved attributes, functions and `signatures`.

    The functions of a SavedModel that TensorFlow wrote are traced from its graph on their first call, which raises NotImplementedError, naming
    the op, for one that tf2compat does not have. Raises OSError when there is no SavedModel, DataLossError when it is damaged,
    RuntimeError for tags it does not have.
    """
    directory = _formats.path_text(export_dir)
    path = os.path.join(directory, _layout.PROTO)
    if not os.path.isfile(path):
        raise OSError(f"SavedModel file does not exist at: {directory}{os.sep}{{saved_model.pbtxt|saved_model.pb}}")
    codec = _ports.load("saved_model", "tensorflow")
    try:
        meta = codec.decode(read_file(path), None if tags is None else ([tags] if isinstance(tags, str) else list(tags)))
    except ValueError as error:
        raise errors.DataLossError(None, None, f"{path} is damaged: {error}") from error
    own = os.path.join(directory, _layout.FUNCTIONS)
    if os.path.isfile(own):
        try:
            content = json.loads(read_file(own))
            nodes = content["nodes"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise errors.DataLossError(None, None, f"{own} is damaged: {error}") from error
    else:
        content, nodes = None, meta["nodes"]
    with state.outside():
        try:
            objects = _objects(nodes, directory)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise errors.DataLossError(None, None, f"{own if content else path} is damaged: {error}") from error
        root = objects[0]
        variables = os.path.join(directory, "variables", "variables")
        skip = options is not None and options.experimental_skip_checkpoint
        if _formats.exists(variables) and not skip:
            status = Checkpoint(root).read(variables).expect_partial()
            if options is None or not options.allow_partial_checkpoint:
                status.assert_existing_objects_matched()
        if content is not None:
            _add_functions(content, objects, own, variables)
        else:
            objects[0].__dict__["signatures"] = _SignatureMap(codec.attach_functions(meta, objects, directory))
    return root


def _variable(content: Mapping[str, Any]) -> Variable:
    dtype = dtypes.as_dtype(content["dtype"])
    shape = content["shape"]
    sizes = [] if shape is None else [0 if d is None else int(d) for d in shape]
    if any(d < 0 for d in sizes) or int(np.prod(sizes, dtype=object)) > _MAX_ELEMENTS:
        raise ValueError(f"a variable of shape {shape}")
    if dtype.name == "string":
        initial: Any = np.full(sizes, b"", object)
    else:
        import torch

        initial = wrap(torch.zeros(sizes, dtype=dtype.torch))
    return Variable(
        initial, dtype=dtype, trainable=bool(content["trainable"]), name=str(content["name"]) or None, shape=TensorShape(shape),
        synchronization=VariableSynchronization[content.get("synchronization", "AUTO")], aggregation=VariableAggregation[content.get("aggregation", "NONE")],
    )  # fmt: skip


def _objects(nodes: list[Any], directory: str) -> list[Any]:
    made: list[Any] = []
    for node in nodes:
        kind = node["kind"]
        if kind == "variable":
            made.append(_variable(node["variable"]))
        elif kind == "asset":
            name = os.path.basename(str(node["asset"]))
            made.append(_layout.Asset(os.path.join(directory, "assets", name)))
        elif kind in ("list", "tuple"):
            made.append(ListWrapper())
        elif kind == "dict":
            made.append(_DictWrapper())
        elif node.get("identifier") in ("experimentalOptimizer", "optimizer"):
            from tf2compat.keras.optimizers._restored import RestoredOptimizer

            made.append(RestoredOptimizer())
        else:
            made.append(_CallableObject() if "__call__" in node.get("functions", {}) else _UserObject())
    if not made or not isinstance(made[0], AutoTrackable):
        raise ValueError("its root is not an object")
    for item, node in zip(made, nodes, strict=True):
        slots = [(made[variable], str(slot), made[number]) for variable, slot, number in node.get("slots", ())]
        if slots:
            if not isinstance(item, UserObject) or not all(isinstance(v, Variable) for owner, _, value in slots for v in (owner, value)):
                raise ValueError("an object that is no optimizer keeps what is no variable")
            item.__dict__["_slots"] = slots
        for name, number in node["children"]:
            child = made[number]
            if number < 0:
                raise ValueError("a child has a negative number")
            if isinstance(item, dict):
                item[name] = child
            elif isinstance(item, list):
                if name.isdecimal():
                    place = int(name)
                    if place > 1_000_000:
                        raise ValueError("a list is implausibly long")
                    item.extend([None] * (place + 1 - len(item)))
                    item[place] = child
            elif isinstance(item, AutoTrackable) and not (name.startswith("__") and name.endswith("__")):
                if name in ("_tracking", "_functions", "_slots", "signatures"):
                    continue  # they are made here
                item._tracked().edges[name] = child
                if not isinstance(getattr(type(item), name, None), property):  # such as an optimizer's `learning_rate`
                    item.__dict__[name] = child
    return made


def _give(item: Any, name: str, loaded: Any) -> None:
    """Put a function where it was: an attribute of an object, an item of a container."""
    if isinstance(item, dict):
        item[name] = loaded
    elif isinstance(item, list):
        place = int(name)
        if not 0 <= place <= 1_000_000:
            raise ValueError("a list is implausibly long")
        item.extend([None] * (place + 1 - len(item)))
        item[place] = loaded
    else:
        item.__dict__.setdefault("_functions", {})[name] = loaded
        if not name.startswith("__"):
            item.__dict__[name] = loaded


def _add_functions(content: dict[str, Any], objects: list[Any], path: str, variables: str) -> None:
    reader = _formats.open_reader(variables)
    if reader.read(_layout.IDENTITY).data[0] != str(content.get("identity")).encode():
        raise errors.DataLossError(None, None, f"{path} and the variables beside it are not of one SavedModel")
    constants: dict[int, Any] = {}

    def variable(number: int) -> Variable:
        found = objects[number]
        if not isinstance(found, Variable):
            raise ValueError(f"object {number} is not a variable")
        return found

    def constant(number: int) -> Any:
        if number not in constants:
            constants[number] = to_tensor(reader.read(f"{_layout.CONSTANTS}/{int(number)}"))
        return constants[number]

    states, made = content.get("held", []), {}

    def held(number: int) -> Any:
        if number not in made:
            kind, name, state = states[number]
            made[number] = held_object((kind, name, reading().value(state)))
        return made[number]

    def file(number: int) -> Any:
        found = objects[number]
        if not isinstance(found, _layout.Asset):
            raise ValueError(f"object {number} is not a file")
        return found.asset_path

    def reading() -> GraphReader:
        found = GraphReader(variable, constant, held)
        found.file = file
        found.trace = lambda trace: read_concrete(trace, reading())
        return found

    try:
        concretes = [read_concrete(item, reading()) if item is not None else None for item in content["concretes"]]
        for item, node in zip(objects, content["nodes"], strict=True):
            plain = node.get("plain", ())
            for name, numbers in node.get("functions", {}).items():
                loaded: Any = LoadedFunction(name, [concretes[n] for n in numbers], concretes[numbers[0]]._jit if numbers else None)
                if name in plain:
                    (loaded,) = loaded.concretes
                _give(item, name, loaded)
            for name, jit in node.get("untraced", {}).items():
                _give(item, name, LoadedFunction(name, [], jit))
        found = {
            name: Signature(concretes[entry["concrete"]], list(entry["inputs"]), list(entry["outputs"]))
            for name, entry in content["signatures"].items()
        }
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, StopIteration, OverflowError) as error:
        raise errors.DataLossError(None, None, f"{path} is damaged: {error}") from error
    objects[0].__dict__["signatures"] = _SignatureMap(found)
    for item in objects:
        if isinstance(item, ListWrapper):
            item.settled()  # they were filled here, as they were saved: they may be saved again
