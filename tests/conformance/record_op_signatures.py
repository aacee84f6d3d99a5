"""Writes, under a real TensorFlow, what its graph ops take and give: `adapters/tf2compat_adapters/tensorflow_functions/signatures.txt`.

    TF_PYTHON tests/conformance/record_op_signatures.py [NAME …]

records the ops of the file again, and those that are named. A line is

    NAME[!]|input:TYPE,…|output:TYPE,…|attr=KIND[{VALUE;…}][?[TYPE]],…

where ! marks an op with effects, TYPE is a dtype, the attr that holds it, N*T (a list as long as the attr N says) or [T] (a list of the types in
T), braces hold the values that are allowed, and ? marks an attr that may be left out, followed by what a dtype then is. Arguments that `tf.raw_ops` calls by other names are written to `tensorflow_graphs/renamed.txt`:

    NAME|name in the graph=name in Python,…
"""

import inspect
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session

ADAPTERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "adapters", "tf2compat_adapters")
FILE = os.path.join(ADAPTERS, "tensorflow_functions", "signatures.txt")
RENAMED = os.path.join(ADAPTERS, "tensorflow_graphs", "renamed.txt")


def argument(arg):
    if arg.type_list_attr:
        kind = f"[{arg.type_list_attr}]"
    else:
        kind = arg.type_attr or dtype(arg.type)
        if arg.number_attr:
            kind = f"{arg.number_attr}*{kind}"
    return f"{arg.name}:{kind}"


def dtype(number):
    return types_pb2.DataType.Name(number).removeprefix("DT_").lower()


def attribute(attr):
    allowed = [dtype(t) for t in attr.allowed_values.list.type] or [s.decode() for s in attr.allowed_values.list.s]
    kind = attr.type + ("{" + ";".join(allowed) + "}" if allowed else "")
    if not attr.HasField("default_value"):
        return f"{attr.name}={kind}"
    return f"{attr.name}={kind}?{dtype(attr.default_value.type) if attr.type == 'type' else ''}"


def line(op):
    attrs = ",".join(map(attribute, op.attr))
    return f"{op.name}{'!' if op.is_stateful else ''}|{','.join(map(argument, op.input_arg))}|{','.join(map(argument, op.output_arg))}|{attrs}"


def renamed(op):
    """The arguments of an op that Python calls otherwise: those that only one of the two lists has, in order."""
    function = getattr(tf.raw_ops, op.name, None)
    if function is None:
        return ""
    python = [name for name in inspect.signature(function).parameters if name != "name"]
    inferred = {name for a in op.input_arg for name in (a.type_attr, a.number_attr, a.type_list_attr)}
    graph = [a.name for a in op.input_arg] + [a.name for a in op.attr if a.name not in inferred]
    ours, theirs = [n for n in graph if n not in python], [n for n in python if n not in graph]
    return ",".join(f"{a}={b}" for a, b in zip(ours, theirs)) if len(ours) == len(theirs) else ""


def main(names):
    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    if os.path.exists(FILE):
        with open(FILE) as file:
            names = names + [text.split("|")[0].rstrip("!") for text in file]
    known = {op.name: op for op in ops.op}
    with open(FILE, "w") as file:
        for name in sorted(set(names) & set(known)):
            file.write(line(known[name]) + "\n")
    with open(RENAMED, "w") as file:
        for name in sorted(set(names) & set(known)):
            if pairs := renamed(known[name]):
                file.write(f"{name}|{pairs}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
