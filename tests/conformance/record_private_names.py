"""Writes, under a real TensorFlow, which private names it exports as which public ones: `tf2compat/_private/exports.tsv`.

    TF_PYTHON tests/conformance/record_private_names.py

A line is a module below `tensorflow.python`, a tab, and its names as `public.path` or, where the private name is another, `name=public.path`.
"""

import importlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from tensorflow.python.util import tf_decorator

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tf2compat", "_private", "exports.tsv")
#: folders that are about other devices and tools, or that are made otherwise (Keras, AutoGraph)
LEFT_OUT = ("keras", "tpu", "tfrt", "compiler", "grappler", "debug", "profiler", "tools", "autograph", "estimator")
#: public paths that are not looked up through modules
ELSEWHERE = ("raw_ops.", "__internal__", "mlir", "lite", "autograph.", "keras")


def modules(root):
    for folder, _, files in os.walk(os.path.join(root, "python")):
        for file in files:
            if file.endswith(".py") and "_test" not in file:
                name = os.path.relpath(os.path.join(folder, file), root)[:-3].replace(os.sep, ".").removesuffix(".__init__")
                if not set(name.split(".")[1:2]) & set(LEFT_OUT) and name != "python.ops.standard_ops":
                    yield f"tensorflow.{name}"


def exported(value):
    """The public path of a function or class, version 2's before version 1's, or None."""
    if isinstance(value, type):
        names, older = value.__dict__.get("_tf_api_names"), value.__dict__.get("_tf_api_names_v1")
    else:
        if callable(value):
            value = tf_decorator.unwrap(value)[1]
        names, older = getattr(value, "_tf_api_names", None), getattr(value, "_tf_api_names_v1", None)
    if names:
        return sorted(names, key=len)[0]
    return "compat.v1." + sorted(older, key=len)[0] if older else None


def names_of(module):
    found = {}
    for name, value in list(vars(module).items()):
        try:
            path = None if name.startswith("__") else exported(value)
        except Exception:  # noqa: BLE001, S112 - lazy modules and odd objects have nothing to say
            continue
        if path and not path.startswith(ELSEWHERE) and not (path == "DType" and name != "DType"):
            found[name] = path
    for attribute, prefix in (("_tf_api_constants", ""), ("_tf_api_constants_v1", "compat.v1.")):
        for paths, name in getattr(module, attribute, ()):
            if paths:
                found.setdefault(name, prefix + paths[0])
    return found


def main():
    lines = []
    for name in sorted(modules(os.path.dirname(tf.__file__))):
        try:
            found = names_of(importlib.import_module(name))
        except Exception:  # noqa: BLE001, S112 - needs what is not installed
            continue
        entries = [path if path.rpartition(".")[2] == key else f"{key}={path}" for key, path in sorted(found.items())]
        if entries:
            lines.append(f"{name.removeprefix('tensorflow.python.')}\t{' '.join(entries)}\n")
    with open(FILE, "w") as file:
        file.writelines(lines)


if __name__ == "__main__":
    main()
