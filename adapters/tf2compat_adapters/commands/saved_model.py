"""`python -m tf2compat saved_model show DIR`, and `run`: what a SavedModel serves, and serving it once.

    saved_model show DIR                       tags, signatures, objects
    saved_model run DIR --inputs 'x=[[1, 2]]'  calls a signature; inputs are JSON values or .npy files
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import numpy as np

from tf2compat import errors
from tf2compat._engine import dtypes
from tf2compat.saved_model._layout import FUNCTIONS
from tf2compat.saved_model._loading import read_file
from tf2compat_adapters.saved_model_proto import decode, read_meta_graphs


def _tensor(info: Any) -> list[str]:
    dims = "unknown_rank" if info.tensor_shape.unknown_rank else f"({', '.join(str(d.size) for d in info.tensor_shape.dim)})"
    dtype = dtypes.as_dtype(info.dtype)._cpp.upper() if info.dtype else "INVALID"
    return [f"    dtype: DT_{dtype}", f"    shape: {dims}", f"    name: {info.name}"]


def show(directory: str) -> None:
    """Prints tags, signatures and objects."""
    content = read_file(os.path.join(directory, "saved_model.pb"))
    for meta in read_meta_graphs(content):
        print(f"\nMetaGraphDef with tag-set: '{', '.join(meta.meta_info_def.tags)}' contains the following SignatureDefs:")
        for name in sorted(meta.signature_def):
            signature = meta.signature_def[name]
            print(f"\nsignature_def['{name}']:")
            for title, group, entries in (("input", "inputs", signature.inputs), ("output", "outputs", signature.outputs)):
                print(f"  The given SavedModel SignatureDef contains the following {title}(s):")
                for key in sorted(entries):
                    print(f"  {group}['{key}'] tensor_info:")
                    print("\n".join("  " + line for line in _tensor(entries[key])))
            print(f"  Method name is: {signature.method_name}")
    nodes = decode(content, None)["nodes"]
    own = os.path.join(directory, FUNCTIONS)
    if os.path.isfile(own):
        nodes = json.loads(read_file(own))["nodes"]
    variables = [node for node in nodes if node["kind"] == "variable"]
    print(f"\nThe MetaGraph has {len(nodes)} objects, {len(variables)} of them variables, and these functions:")
    names = sorted({name for node in nodes for name in node.get("functions", {})})
    for name in names:
        print(f"  {name}")
    if not names:
        print("  (none)")
    if not os.path.isfile(own):
        print("Its functions are TensorFlow graphs, which tf2compat does not run yet; objects and variables can be loaded.")


def _value(text: str) -> Any:
    if text.endswith(".npy"):
        return np.load(text, allow_pickle=False)
    return np.asarray(json.loads(text))


def run(directory: str, name: str, inputs: list[str], outdir: str | None) -> None:
    """Calls a signature and prints, or writes as .npy, what it gives."""
    import tf2compat as tf

    loaded = tf.saved_model.load(directory)
    signature = loaded.signatures[name]
    specs = signature.structured_input_signature[1]
    given = {}
    for text in inputs:
        key, _, value = text.partition("=")
        if key not in specs:
            raise ValueError(f"the signature '{name}' has no input '{key}': it has {', '.join(specs)}")
        given[key] = tf.constant(_value(value), dtype=specs[key].dtype)
    for key, value in signature(**given).items():
        if outdir:
            os.makedirs(outdir, exist_ok=True)
            np.save(os.path.join(outdir, key + ".npy"), value.numpy(), allow_pickle=False)
        print(f"Result for output key {key}:\n{value.numpy()}")


def main(argv: list[str]) -> int:
    """Runs the command; the exit status."""
    parser = argparse.ArgumentParser("python -m tf2compat saved_model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["show", "run"])
    parser.add_argument("dir", nargs="?")
    parser.add_argument("--dir", dest="dir_option", help="as saved_model_cli takes it")
    parser.add_argument("--all", action="store_true", help="accepted as saved_model_cli takes it: everything is always shown")
    parser.add_argument("--signature_def", default="serving_default")
    parser.add_argument("--inputs", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--outdir")
    args = parser.parse_args(argv)
    directory = args.dir or args.dir_option
    if not directory:
        parser.error("which directory?")
    try:
        if args.action == "show":
            show(directory)
        else:
            run(directory, args.signature_def, args.inputs, args.outdir)
    except (errors.OpError, OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
