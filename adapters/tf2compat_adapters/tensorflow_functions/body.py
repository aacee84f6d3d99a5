"""Building one function of a GraphDef, node by node."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from tensorboard.compat.proto import attr_value_pb2, function_pb2

from tf2compat._engine import dtypes
from tf2compat._engine.dtypes import DType

from .signatures import Argument, Attribute, signature

#: constants of more bytes than this are not written into a graph, whose size protocol buffers limit
LARGEST_CONSTANT = 1 << 28


class NotExportable(Exception):
    """Something that TensorFlow's graphs cannot say; the message says what."""


class Ref(NamedTuple):
    """A value within a function: how nodes refer to it, and its dtype."""

    text: str
    dtype: DType


def fill_shape(proto: Any, dims: Any) -> None:
    """Dimensions (None: unknown) into a TensorShapeProto."""
    if dims is None:
        proto.unknown_rank = True
        return
    proto.SetInParent()
    for size in dims:
        proto.dim.add(size=-1 if size is None else size)


def fill_attribute(attr: Any, kind: str, value: Any) -> None:
    """A Python value into an AttrValue of a declared kind."""
    if kind.startswith("list("):
        inner = kind[5:-1]
        attr.list.SetInParent()
        for v in value:
            if inner == "type":
                attr.list.type.append(dtypes.as_dtype(v).as_datatype_enum)
            elif inner == "shape":
                fill_shape(attr.list.shape.add(), v)
            else:
                field = {"int": "i", "float": "f", "bool": "b", "string": "s"}[inner]
                getattr(attr.list, field).append(v.encode() if isinstance(v, str) else v)
    elif kind == "type":
        attr.type = dtypes.as_dtype(value).as_datatype_enum
    elif kind == "shape":
        fill_shape(attr.shape, value)
    elif kind == "tensor":
        attr.tensor.CopyFrom(value)
    elif kind == "func":
        attr.func.name = value
    elif kind == "string":
        attr.s = value.encode() if isinstance(value, str) else bytes(value)
    elif kind == "int":
        attr.i = int(value)
    elif kind == "float":
        attr.f = float(value)
    elif kind == "bool":
        attr.b = bool(value)
    else:
        raise NotExportable(f"it needs an attribute of the kind {kind}")


class Body:
    """The nodes of one function."""

    def __init__(self, library: Any, name: str) -> None:
        self.library = library
        self.name = name
        self.definition = function_pb2.FunctionDef()
        self.definition.signature.name = name
        self._names: set[str] = set()
        self._constants: dict[Any, Ref] = {}
        #: effects in order: the node that wrote a resource last, those that read it since
        self._wrote: dict[str, str] = {}
        self._read: dict[str, list[str]] = {}
        self._last_effect: str | None = None
        self._ends: list[str] = []
        #: hash tables of this function by name
        self.tables: dict[str, Ref] = {}
        #: values by how nodes refer to them, with what is known of their dimensions
        self.refs: dict[str, Ref] = {}
        self.dims: dict[str, Any] = {}
        #: values of constants
        self.known: dict[str, np.ndarray] = {}
        #: whether tapes record what is written now, and the nodes that none recorded
        self.recording = True
        self.depth = 0
        self.unrecorded: set[str] = set()
        #: what gives the gradients of nodes whose ops do not say it: by the node's name
        self.gradients: dict[str, Callable[..., Any]] = {}
        self._entry: Any = None

    def unique(self, base: str) -> str:
        """A name for a node or an argument."""
        base = re.sub(r"[^A-Za-z0-9_.]", "_", base) or "node"
        if not base[0].isalnum():
            base = "n" + base
        name, number = base, 1
        while name.lower() in self._names:
            name, number = f"{base}_{number}", number + 1
        self._names.add(name.lower())
        return name

    def argument(self, name: str, dtype: DType, dims: Any) -> Ref:
        """A further argument of the function."""
        # argument names are lower case letters, digits and underscores
        name = self.unique(re.sub(r"[^a-z0-9_]", "_", name.lower()).strip("_") or "arg")
        arg = self.definition.signature.input_arg.add(name=name, type=dtype.as_datatype_enum)
        number = len(self.definition.signature.input_arg) - 1
        shapes = self.definition.arg_attr[number].attr["_output_shapes"].list
        fill_shape(shapes.shape.add(), dims)
        fill_shape(self.definition.attr["_input_shapes"].list.shape.add(), dims)
        self.dims[arg.name] = dims
        found = self.refs[arg.name] = Ref(arg.name, dtype)
        return found

    def result(self, name: str, value: Ref) -> None:
        """A further result of the function."""
        value = self.value(value)
        name = self.unique(re.sub(r"[^a-z0-9_]", "_", name.lower()).strip("_") or "result")
        self.definition.signature.output_arg.add(name=name, type=value.dtype.as_datatype_enum)
        self.definition.ret[name] = value.text

    def value(self, value: Ref) -> Ref:
        """A value as the output of a node."""
        return value if ":" in value.text else self.op("Identity", value)

    def finish(self) -> str:
        """Adds the function to the library; its name."""
        for name in dict.fromkeys([*self._ends, *self._wrote.values()]):
            self.definition.control_ret[name] = name
            self.definition.signature.control_output.append(name)
        if self._ends or self._wrote:
            self.definition.signature.is_stateful = True
        if self._entry is None:
            self._entry = self.library.function.add()
        self._entry.CopyFrom(self.definition)
        return self.name

    def arguments(self) -> list[Ref]:
        """The arguments so far."""
        return [self.refs[arg.name] for arg in self.definition.signature.input_arg]

    def results(self) -> list[Ref]:
        """What the results so far are."""
        found = [self.definition.ret[arg.name] for arg in self.definition.signature.output_arg]
        return [self.refs[text] for text in found]

    # --- nodes -------------------------------------------------------------------------------------------------------
    def constant(self, value: Any, dtype: Any = None) -> Ref:
        """A Const node for an array or Python value; equal small ones are one node."""
        from tf2compat._top.calling import make_tensor_proto

        dtype = None if dtype is None else dtypes.as_dtype(dtype)
        array = np.asarray(value)
        if dtype is None:
            dtype = dtypes.as_dtype(array.dtype if array.dtype.kind not in "OSU" else "string")
        if array.nbytes > LARGEST_CONSTANT:
            raise NotExportable(f"it holds a constant of {array.nbytes >> 20} MiB: make it a tf.Variable")
        small = array.size <= 16 and array.dtype.kind != "O"
        key = (dtype, array.shape, array.tobytes() if small else id(value))
        if small and key in self._constants:
            return self._constants[key]
        node = self.definition.node_def.add(name=self.unique("const"), op="Const")
        node.attr["dtype"].type = dtype.as_datatype_enum
        node.attr["value"].tensor.CopyFrom(make_tensor_proto(array, dtype=dtype, shape=list(array.shape)))
        found = self.refs[f"{node.name}:output:0"] = Ref(f"{node.name}:output:0", dtype)
        self.dims[found.text] = array.shape
        if small:
            self.known[found.text] = array
        if small:
            self._constants[key] = found
        return found

    def ints(self, value: Any, dtype: Any = dtypes.int32) -> Ref:
        """A constant of integers."""
        return self.constant(np.asarray(value, dtypes.as_dtype(dtype).as_numpy_dtype), dtype)

    def op(self, kind: str, *inputs: Any, **given: Any) -> Any:
        """A node: its result, or the list of them. Inputs are Refs, lists of them where the op takes lists. `given`: its attributes;
        `_name`, `_reads` and `_writes` (resources), `_effect` beside."""
        declared = signature(kind)
        if declared is None:
            raise NotExportable(f"TensorFlow's op {kind} is not known here")
        name = self.unique(given.pop("_name", None) or kind)
        reads, writes, effect = given.pop("_reads", ()), given.pop("_writes", ()), given.pop("_effect", False)
        node = self.definition.node_def.add(name=name, op=kind)
        values: dict[str, Any] = dict(given)
        if len(inputs) != len(declared.inputs):
            raise NotExportable(f"TensorFlow's op {kind} takes {len(declared.inputs)} inputs, not {len(inputs)}")
        for argument, value in zip(declared.inputs, inputs, strict=True):
            self._input(node, kind, argument, value, values)
        for key, value in values.items():
            if key not in declared.attributes:
                raise NotExportable(f"TensorFlow's op {kind} has no attribute {key}")
            _check(kind, key, declared.attributes[key], value)
            fill_attribute(node.attr[key], declared.attributes[key].kind, value)
        missing = [key for key, attribute in declared.attributes.items() if not attribute.optional and key not in values]
        if missing:
            raise NotExportable(f"the attribute {missing[0]} of TensorFlow's op {kind} is not known")
        self._order(node, reads, writes, effect)
        return self._outputs(node, declared, values)

    def _input(self, node: Any, kind: str, argument: Argument, value: Any, values: dict[str, Any]) -> None:
        many = argument.number is not None or argument.types is not None
        refs: Sequence[Ref] = value if many else [value]
        if many and not isinstance(value, (list, tuple)):
            raise NotExportable(f"the input {argument.name} of TensorFlow's op {kind} is a list")
        node.input.extend([ref.text for ref in refs])
        if argument.types is not None:
            values.setdefault(argument.types, [ref.dtype for ref in refs])
            return
        if argument.number is not None:
            values[argument.number] = len(refs)
        for ref in refs:
            wanted = values.setdefault(argument.type, ref.dtype) if argument.type is not None else _dtype(argument.dtype)
            if dtypes.as_dtype(wanted) is not ref.dtype:
                raise NotExportable(f"TensorFlow's op {kind} takes {dtypes.as_dtype(wanted).name} for {argument.name}, not {ref.dtype.name}")

    def _order(self, node: Any, reads: Sequence[Ref], writes: Sequence[Ref], effect: bool) -> None:
        """Control inputs that keep effects in the order of the program."""
        before: list[str] = []
        for resource in reads:
            if resource.text in self._wrote:
                before.append(self._wrote[resource.text])
            self._read.setdefault(resource.text, []).append(node.name)
        for resource in writes:
            before += [name for name in self._read.pop(resource.text, []) if name != node.name]
            if resource.text in self._wrote:
                before.append(self._wrote[resource.text])
            self._wrote[resource.text] = node.name
        if effect:
            if self._last_effect is not None:
                before.append(self._last_effect)
            self._last_effect = node.name
            self._ends.append(node.name)
        node.input.extend(["^" + name for name in dict.fromkeys(before)])

    def _outputs(self, node: Any, declared: Any, values: dict[str, Any]) -> Any:
        found: list[Ref] = []
        for output in declared.outputs:
            if output.types is not None:
                found += [Ref(f"{node.name}:{output.name}:{i}", dtypes.as_dtype(t)) for i, t in enumerate(values[output.types])]
                continue
            if output.dtype is not None:
                dtype = _dtype(output.dtype)
            elif output.type in values:
                dtype = dtypes.as_dtype(values[output.type])
            else:  # an attribute that was left out
                dtype = _dtype(declared.attributes[output.type].default)
            count = 1 if output.number is None else int(values[output.number])
            found += [Ref(f"{node.name}:{output.name}:{i}", dtype) for i in range(count)]
        for ref in found:
            self.refs[ref.text] = ref
        if not self.recording:
            self.unrecorded.add(node.name)
        listed = any(o.types is not None or o.number is not None for o in declared.outputs)
        return found if listed or len(found) != 1 else found[0]


#: dtypes that the protocol buffers name in C's way
_IN_C = {"float": "float32", "double": "float64", "half": "float16"}
_TO_C = {ours: theirs for theirs, ours in _IN_C.items()}


def _dtype(name: str) -> DType:
    """A dtype by the name that the protocol buffers give it."""
    return dtypes.as_dtype(_IN_C.get(name, name))


def _check(op: str, name: str, attribute: Attribute, value: Any) -> None:
    """TensorFlow refuses a whole SavedModel for one attribute that it does not allow."""
    if not attribute.allowed:
        return
    values = value if attribute.kind.startswith("list(") else [value]
    if attribute.kind.endswith(("type", "type)")):
        values = [dtypes.as_dtype(v).name for v in values]
    else:
        values = [v.decode() if isinstance(v, bytes) else v for v in values]
    if bad := [v for v in values if _TO_C.get(v, v) not in attribute.allowed]:
        raise NotExportable(f"TensorFlow's op {op} knows no {bad[0]} for {name}")


def attribute(kind: str, value: Any) -> Any:
    """A value as an AttrValue."""
    attr = attr_value_pb2.AttrValue()
    fill_attribute(attr, kind, value)
    return attr
