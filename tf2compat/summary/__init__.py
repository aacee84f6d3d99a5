"""`tf.summary`: values over time, for TensorBoard."""

from tf2compat._names import module_getattr
from tf2compat.summary import experimental
from tf2compat.summary._kinds import audio, histogram, image, scalar, text
from tf2compat.summary._tracing import graph, trace_export, trace_off, trace_on
from tf2compat.summary._writing import (
    SummaryWriter,
    create_file_writer,
    create_noop_writer,
    flush,
    record_if,
    should_record_summaries,
    write,
)

__all__ = [
    "SummaryWriter",
    "audio",
    "create_file_writer",
    "create_noop_writer",
    "experimental",
    "flush",
    "graph",
    "histogram",
    "image",
    "record_if",
    "scalar",
    "should_record_summaries",
    "text",
    "trace_export",
    "trace_off",
    "trace_on",
    "write",
]
__getattr__ = module_getattr("tf.summary")
