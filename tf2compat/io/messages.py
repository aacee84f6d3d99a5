"""Protocol messages of any type as tensors, and Examples from JSON."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from .. import _ports, errors
from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import as_dtype, int32, string
from .._engine.op import ANYS, invalid, op, tensor
from .._engine.tensor import numpy_of
from ..strings.elementwise import each

_STRINGS = tensor(string, group="bytes")


def _protos() -> Any:
    return _ports.load("protos", "tensorflow")


@op("DecodeJSONExample", json_examples=tensor(string))
def decode_json_example(json_examples: Any, name: str | None = None) -> Any:
    """Serialized Examples from their JSON form, of any shape (`tf.io.decode_json_example`); InvalidArgumentError for other text."""
    protos = _protos()

    def one(text: bytes) -> bytes:
        try:
            return protos.example_of_json(text)
        except ValueError as error:
            raise invalid(f"Error while parsing JSON: {error} [Op:DecodeJSONExample] name: ") from None

    return each(one, json_examples)


decode_json_example.strings(decode_json_example.op.fn)

# protobuf's kinds of fields (its C++ types): what a tensor of them is
_KINDS = {
    1: (dtypes.int32, dtypes.int64), 2: (dtypes.int64,), 3: (dtypes.uint32, dtypes.int64, dtypes.uint64), 4: (dtypes.uint64, dtypes.int64),
    5: (dtypes.float64,), 6: (dtypes.float32, dtypes.float64), 7: (dtypes.bool,), 8: (dtypes.int32,), 9: (string,), 10: (string,),
}  # fmt: skip


def _type(message_type: str, source: Any, tail: str) -> Any:
    text = source if isinstance(source, bytes) else str(source).encode()
    if text in (b"", b"local://"):
        data = None
    elif text.startswith(b"bytes://"):
        data = text[len(b"bytes://") :]
    else:
        from .remote import opened

        with opened(os.fsdecode(text)) as file:
            data = file.read()
    try:
        return _protos().message_class(message_type, data)
    except KeyError:
        raise invalid(f"No descriptor found for message type {message_type} {tail}") from None
    except ValueError as error:
        raise invalid(f"descriptor_source holds no FileDescriptorSet: {error} {tail}") from error


def _fields(kind: Any, names: list[str], tail: str) -> list[Any]:
    known = kind.DESCRIPTOR.fields_by_name
    out = []
    for name in names:
        if name not in known:
            raise invalid(f"Unknown field: {name} in message type {kind.DESCRIPTOR.full_name} {tail}")
        out.append(known[name])
    return out


def _repeated(field: Any) -> bool:
    found = getattr(field, "is_repeated", None)
    return field.label == field.LABEL_REPEATED if found is None else bool(found)


def _shown(field: Any, value: Any) -> Any:
    if field.cpp_type == 10:
        return value.SerializeToString()
    return value.encode() if isinstance(value, str) else value


@op("DecodeProtoV2", multi=True, data=_STRINGS)
def _decode(data: Any, kind: Any, fields: Any, outputs: Any, text: bool, sanitize: bool) -> Any:
    tail = "[Op:DecodeProtoV2] name: "
    protos = _protos()
    messages = []
    for item in data.reshape(-1).tolist():
        try:
            messages.append(protos.message_from(kind, item, text))
        except ValueError as error:
            raise errors.DataLossError(None, None, f"Unable to parse {'text' if text else 'binary'} protobuf: {error} {tail}") from error
    sizes = np.zeros((len(messages), len(fields)), np.int32)
    columns: list[Any] = []
    for f, (field, dtype) in enumerate(zip(fields, outputs, strict=True)):
        rows: list[list[Any]] = []
        for i, m in enumerate(messages):
            if _repeated(field):
                row = [_shown(field, v) for v in getattr(m, field.name)]
            elif not field.has_presence or m.HasField(field.name):
                found = getattr(m, field.name)
                row = [_shown(field, found)] if field.has_presence or found != field.default_value else []
            else:
                row = []
            sizes[i, f] = len(row)
            rows.append(row)
        longest = max((len(r) for r in rows), default=0)
        default = b"" if dtype is string else field.default_value if field.cpp_type != 10 and not _repeated(field) else 0
        if isinstance(default, str):
            default = default.encode()
        flat = np.full((len(messages), longest), default, dtype=object if dtype is string else dtype.as_numpy_dtype)
        for i, row in enumerate(rows):
            if dtype is dtypes.int64 and field.cpp_type == 4:
                row = [v - (1 << 64) if v >> 63 else v for v in row]
            flat[i, : len(row)] = row
        flat = flat.reshape(*data.shape, longest)
        columns.append(flat if dtype is string else torch.from_numpy(flat))
    return torch.from_numpy(sizes.reshape(*data.shape, len(fields))), *columns


_decode.strings(_decode.op.fn)
_decode.infer(lambda data, kind, fields, outputs, *rest: [(int32, (*data.shape, len(fields))), *((d, (*data.shape, None)) for d in outputs)])


def decode_proto(
    bytes: Any, message_type: str, field_names: Any, output_types: Any, descriptor_source: Any = "local://", message_format: str = "binary",  # noqa: A002
    sanitize: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """The number of values [..., fields], and the values [..., most] of each field, of serialized messages (`tf.io.decode_proto`).

    `descriptor_source` is "local://" (messages of imported modules), "bytes://" and a serialized FileDescriptorSet, or the name
    of a file of one. DataLossError for damaged messages.
    """
    tail = "[Op:DecodeProtoV2] name: "
    if message_format not in ("binary", "text"):
        raise invalid(f"Unknown message_format: {message_format}. Expected 'binary' or 'text' {tail}")
    kind = _type(message_type, descriptor_source, tail)
    names = list(field_names)
    outputs = [as_dtype(t) for t in (output_types if isinstance(output_types, (list, tuple)) else [output_types])]
    if len(names) != len(outputs):
        raise invalid(f"field_names and output_types must have the same length, got {len(names)} and {len(outputs)} {tail}")
    fields = _fields(kind, names, tail)
    for field, dtype in zip(fields, outputs, strict=True):
        if dtype not in _KINDS[field.cpp_type]:
            raise invalid(f"Unexpected output type for {kind.DESCRIPTOR.full_name}.{field.name}: {field.cpp_type} to {dtype._cpp} {tail}")
    found = _decode(convert_to_tensor(bytes, string), kind, fields, outputs, message_format == "text", bool(sanitize))
    import collections

    made = collections.namedtuple("DecodeProtoV2", ["sizes", "values"])
    return made(found[0], list(found[1:]))


@op("EncodeProto", sizes=tensor(int32, group="sizes"), values=ANYS)
def _encode(sizes: Any, values: Any, kind: Any, fields: Any) -> Any:
    tail = "[Op:EncodeProto] name: "
    counts = sizes.cpu().numpy()
    if counts.ndim < 1 or counts.shape[-1] != len(fields):
        raise invalid(f"sizes.shape must be [batch..., {len(fields)}], got {list(counts.shape)} {tail}")
    prefix = counts.shape[:-1]
    flat = counts.reshape(-1, len(fields))
    columns = []
    for field, value in zip(fields, values, strict=True):
        array = numpy_of(value)
        if array.shape[:-1] != prefix:
            raise invalid(f"Values for field {field.name} must have shape {[*prefix, '?']}, got {list(array.shape)} {tail}")
        columns.append(array.reshape(len(flat), -1))
    out = np.empty(len(flat), dtype=object)
    for i, row in enumerate(flat.tolist()):
        message = kind()
        for field, count, column in zip(fields, row, columns, strict=True):
            if not 0 <= count <= column.shape[1] or (count > 1 and not _repeated(field)):
                raise invalid(f"Size value {count} is not possible for field {field.name} with {column.shape[1]} values {tail}")
            for value in column[i, :count].tolist():
                try:
                    _put(message, field, value)
                except (TypeError, ValueError, UnicodeDecodeError) as error:
                    raise invalid(f"Value {value!r} does not fit the field {field.name}: {error} {tail}") from error
        out[i] = message.SerializeToString(deterministic=True)
    return out.reshape(prefix)


def _put(message: Any, field: Any, value: Any) -> None:
    if field.cpp_type == 10:
        target = getattr(message, field.name).add() if _repeated(field) else getattr(message, field.name)
        target.MergeFromString(value)
        if not _repeated(field):
            target.SetInParent()
        return
    if field.cpp_type == 9 and field.type == field.TYPE_STRING:
        value = value.decode()
    elif field.cpp_type == 4 and value < 0:
        value += 1 << 64
    if _repeated(field):
        getattr(message, field.name).append(value)
    else:
        setattr(message, field.name, value)


_encode.strings(_encode.op.fn)
_encode.infer(lambda sizes, values, kind, fields: [(string, tuple(sizes.shape[:-1]))])


def encode_proto(
    sizes: Any, values: Any, field_names: Any, message_type: str, descriptor_source: Any = "local://", name: str | None = None
) -> Any:
    """Serialized messages from the numbers of values [..., fields] and the values of each field (`tf.io.encode_proto`)."""
    tail = "[Op:EncodeProto] name: "
    kind = _type(message_type, descriptor_source, tail)
    fields = _fields(kind, list(field_names), tail)
    given = [convert_to_tensor(v) for v in values]
    if len(given) != len(fields):
        raise invalid(f"field_names and values must have the same length, got {len(fields)} and {len(given)} {tail}")
    for field, v in zip(fields, given, strict=True):
        if v.dtype not in _KINDS[field.cpp_type]:
            raise invalid(f"Value of type {v.dtype._cpp} does not fit the field {field.name} {tail}")
    return _encode(convert_to_tensor(sizes, int32), given, kind, fields)


def write_graph(graph_or_graph_def: Any, logdir: Any, name: str, as_text: bool = True) -> str:
    """Write a graph, or its GraphDef message, to a file, whose name is given back (`tf.io.write_graph`)."""
    from .gfile import join, makedirs
    from .remote import opened

    message = graph_or_graph_def.as_graph_def() if hasattr(graph_or_graph_def, "as_graph_def") else graph_or_graph_def
    if not hasattr(message, "SerializeToString"):
        raise TypeError(f"`graph_or_graph_def` must be a graph or a GraphDef message, got {type(graph_or_graph_def)}")
    makedirs(logdir)
    path = join(os.fspath(logdir), name)
    with opened(path, "wb") as file:
        file.write(str(message).encode() if as_text else message.SerializeToString(deterministic=True))
    return path
