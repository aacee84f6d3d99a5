"""Writes, under a real TensorFlow, what its graph ops take and give: `adapters/tf2compat_adapters/tensorflow_functions/signatures.txt`.

    TF_PYTHON tests/conformance/record_op_signatures.py [NAME …]

records the ops of the file again, and those that are named. A line is

    NAME[!]|input:TYPE,…|output:TYPE,…|attr=KIND[?],…

where ! marks an op with effects, TYPE is a dtype, the attr that holds it, N*T (a list as long as the attr N says) or [T] (a list of the types in
T), and ? an attr that may be left out.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session

FILE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "adapters", "tf2compat_adapters", "tensorflow_functions", "signatures.txt"
)


def argument(arg):
    if arg.type_list_attr:
        kind = f"[{arg.type_list_attr}]"
    else:
        kind = arg.type_attr or types_pb2.DataType.Name(arg.type).removeprefix("DT_").lower()
        if arg.number_attr:
            kind = f"{arg.number_attr}*{kind}"
    return f"{arg.name}:{kind}"


def line(op):
    attrs = ",".join(f"{a.name}={a.type}{'?' if a.HasField('default_value') else ''}" for a in op.attr)
    return f"{op.name}{'!' if op.is_stateful else ''}|{','.join(map(argument, op.input_arg))}|{','.join(map(argument, op.output_arg))}|{attrs}"


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


if __name__ == "__main__":
    main(sys.argv[1:])
