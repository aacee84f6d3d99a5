"""TensorFlow's protocol messages that `tensorboard.compat.proto` does not carry, as message classes.

Their descriptors are built here, in a pool of our own, so that a real TensorFlow (or the package `tfrecord`) in the same
process, which registers the same names in protobuf's default pool, does not clash with them. Enum fields are declared as int32 and
nested `MetaGraphDef`s as bytes: the same on the wire. Messages that tensorboard has are used from there.
"""

from __future__ import annotations

import importlib
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

_F = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _F.TYPE_BOOL, "bytes": _F.TYPE_BYTES, "double": _F.TYPE_DOUBLE, "fixed32": _F.TYPE_FIXED32, "float": _F.TYPE_FLOAT,
    "int32": _F.TYPE_INT32, "int64": _F.TYPE_INT64, "string": _F.TYPE_STRING, "uint64": _F.TYPE_UINT64,
}  # fmt: skip

# name: fields, each "number name [repeated|map [of]] type"; a map's keys are strings unless `of` names their type. A name with a dot is nested; `kind` fields form a oneof of that name.
_MESSAGES: dict[str, list[str]] = {
    "VersionDef": ["1 producer int32", "2 min_consumer int32", "3 bad_consumers repeated int32"],
    "TensorShapeProto": ["2 dim repeated TensorShapeProto.Dim", "3 unknown_rank bool"],
    "TensorShapeProto.Dim": ["1 size int64", "2 name string"],
    "TensorSliceProto": ["1 extent repeated TensorSliceProto.Extent"],
    "TensorSliceProto.Extent": ["1 start int64", "2 length int64 oneof:has_length_hack"],
    "BundleHeaderProto": ["1 num_shards int32", "2 endianness int32", "3 version VersionDef"],
    "BundleEntryProto": [
        "1 dtype int32", "2 shape TensorShapeProto", "3 shard_id int32", "4 offset int64", "5 size int64", "6 crc32c fixed32",
        "7 slices repeated TensorSliceProto",
    ],
    "SavedModel": ["1 saved_model_schema_version int64", "2 meta_graphs repeated bytes"],
    "FingerprintDef": [
        "1 saved_model_checksum uint64", "2 graph_def_program_hash uint64", "3 signature_def_hash uint64",
        "4 saved_object_graph_hash uint64", "5 checkpoint_hash uint64", "6 version VersionDef", "7 uuid string",
    ],
    "SavedMetadata": ["1 nodes repeated SavedObject"],
    "SavedObject": ["2 node_id int32", "3 node_path string", "4 identifier string", "5 metadata string", "6 version VersionDef"],
    "CheckpointState": [
        "1 model_checkpoint_path string", "2 all_model_checkpoint_paths repeated string",
        "3 all_model_checkpoint_timestamps repeated double", "4 last_preserved_timestamp double",
    ],
    "BytesList": ["1 value repeated bytes"],
    "FloatList": ["1 value repeated float"],
    "Int64List": ["1 value repeated int64"],
    "Feature": ["1 bytes_list BytesList oneof:kind", "2 float_list FloatList oneof:kind", "3 int64_list Int64List oneof:kind"],
    "Features": ["1 feature map Feature"],
    "FeatureList": ["1 feature repeated Feature"],
    "FeatureLists": ["1 feature_list map FeatureList"],
    "Example": ["1 features Features"],
    "SequenceExample": ["1 context Features", "2 feature_lists FeatureLists"],
    "JobDef": ["1 name string", "2 tasks map int32 string"],
    "ClusterDef": ["1 job repeated JobDef"],
    "ServerDef": [
        "1 cluster ClusterDef", "2 job_name string", "3 task_index int32", "4 default_session_config bytes", "5 protocol string", "6 port int32",
        "8 replica int32",
    ],
}  # fmt: skip


def _add_field(message: Any, text: str) -> None:
    number, name, *words = text.split()
    field = message.field.add(name=name, number=int(number), label=_F.LABEL_OPTIONAL)
    if words[-1].startswith("oneof:"):
        oneof = words.pop().removeprefix("oneof:")
        known = [item.name for item in message.oneof_decl]
        if oneof not in known:
            message.oneof_decl.add(name=oneof)
            known.append(oneof)
        field.oneof_index = known.index(oneof)
    if words[0] == "map":
        field.label, field.type = _F.LABEL_REPEATED, _F.TYPE_MESSAGE
        entry = message.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
        entry.options.map_entry = True
        _add_field(entry, f"1 key {words[1] if len(words) > 2 else 'string'}")
        _add_field(entry, f"2 value {words[-1]}")
        field.type_name = f".tensorflow.{message.name}.{entry.name}"
        return
    if words[0] == "repeated":
        field.label = _F.LABEL_REPEATED
    if words[-1] in _SCALARS:
        field.type = _SCALARS[words[-1]]
    else:
        field.type, field.type_name = _F.TYPE_MESSAGE, f".tensorflow.{words[-1]}"


def _build() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="tf2compat/messages.proto", package="tensorflow", syntax="proto3")
    for name, fields in _MESSAGES.items():
        outer, _, inner = name.rpartition(".")
        if outer:
            message = next(item for item in file.message_type if item.name == outer).nested_type.add(name=inner)
        else:
            message = file.message_type.add(name=name)
        for text in fields:
            _add_field(message, text)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _build()


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"tensorflow.{name}"))


VersionDef = _message("VersionDef")
TensorShapeProto = _message("TensorShapeProto")
TensorSliceProto = _message("TensorSliceProto")
BundleHeaderProto = _message("BundleHeaderProto")
BundleEntryProto = _message("BundleEntryProto")
SavedModel = _message("SavedModel")
FingerprintDef = _message("FingerprintDef")
SavedMetadata = _message("SavedMetadata")
CheckpointState = _message("CheckpointState")
BytesList = _message("BytesList")
FloatList = _message("FloatList")
Int64List = _message("Int64List")
Feature = _message("Feature")
Features = _message("Features")
FeatureList = _message("FeatureList")
FeatureLists = _message("FeatureLists")
Example = _message("Example")
SequenceExample = _message("SequenceExample")
JobDef = _message("JobDef")
ClusterDef = _message("ClusterDef")
ServerDef = _message("ServerDef")


def parse_text(kind: Any, text: str) -> Any:
    """A message of a kind from its text form. Raises ValueError when the text is not one."""
    try:
        return text_format.Parse(text, kind())
    except (text_format.ParseError, RecursionError) as error:
        raise ValueError(str(error)) from error


def example_of_json(text: bytes) -> bytes:
    """A serialized Example from its JSON form. Raises ValueError when the text is not one."""
    from google.protobuf import json_format

    try:
        return json_format.Parse(text, Example(), max_recursion_depth=64).SerializeToString(deterministic=True)
    except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def message_class(name: str, source: bytes | None) -> Any:
    """The class of a message by its full name: of a serialized FileDescriptorSet, or of the modules that are imported (None).

    Raises KeyError when there is none, ValueError when the source is no set of descriptors.
    """
    from google.protobuf.message import DecodeError

    if source is None:
        pools = [descriptor_pool.Default(), _POOL]
    else:
        try:
            files = descriptor_pb2.FileDescriptorSet.FromString(source)
            pools = [descriptor_pool.DescriptorPool()]
            for file in files.file:
                pools[0].Add(file)
        except (DecodeError, TypeError) as error:
            raise ValueError(str(error)) from error
    for pool in pools:
        try:
            return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
        except KeyError:
            continue
    raise KeyError(name)


def message_from(kind: Any, data: bytes, text: bool) -> Any:
    """A message of a class from its binary or text form. Raises ValueError when the data are not one."""
    from google.protobuf.message import DecodeError

    if text:
        return parse_text(kind, data.decode("utf-8", "replace"))
    try:
        return kind.FromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def module(name: str) -> Any:
    """A module of generated messages by its last name (`graph_pb2`), or None: tensorboard's, or those built here."""
    if name in ("example_pb2", "feature_pb2"):
        import sys

        return sys.modules[__name__]
    try:
        return importlib.import_module("tensorboard.compat.proto." + name)
    except ModuleNotFoundError:
        return None
