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
from tf2compat.saved_model._loading import read_file
from tf2compat_adapters.saved_model_proto import decode, read_meta_graphs


def _tensor(info: Any) -> list[str]:
    dims = "unknown_rank" if info.tensor_shape.unknown_rank else f"({', '.join(str(d.size) for d in info.tensor_shape.dim)})"
    dtype = dtypes.as_dtype(info.dtype)._cpp.upper() if info.dtype else "INVALID"
    return [f"dtype: DT_{dtype}", f"shape: {dims}", f"name: {info.name}"]


def _signature(signature: Any, indent: str) -> None:
    for title, group, entries in (("input", "inputs", signature.inputs), ("output", "outputs", signature.outputs)):
        print(f"{indent}The given SavedModel SignatureDef contains the following {title}(s):")
        for key in sorted(entries):
            print(f"{indent}  {group}['{key}'] tensor_info:")
            print("\n".join(f"{indent}      {line}" for line in _tensor(entries[key])))
    print(f"{indent}Method name is: {signature.method_name}")


def _meta_graph(metas: list[Any], tags: str | None) -> Any:
    if tags is None:
        return metas[0]
    wanted = set(tags.split(","))
    for meta in metas:
        if set(meta.meta_info_def.tags) == wanted:
            return meta
    raise RuntimeError(f"MetaGraphDef associated with tag-set {tags} could not be found in the SavedModel")


def _argument(value: Any, name: str, indent: str) -> None:
    from tf2compat._engine.specs import TypeSpec

    if isinstance(value, TypeSpec):
        print(f"{indent}{name}: {value!r}")
    elif isinstance(value, (list, tuple, dict)):
        print(f"{indent}DType: {type(value).__name__}")
        print(f"{indent}Value: {value!r}")
    else:
        print(f"{indent}DType: {type(value).__name__}")
        print(f"{indent}Value: {value!r}")


def _functions(directory: str) -> None:
    import tf2compat as tf

    loaded = tf.saved_model.load(directory)
    found = {name: value for name, value in loaded.__dict__.get("_functions", {}).items() if hasattr(value, "concretes")}
    print("\nConcrete Functions:", end="")
    for name in sorted(found):
        print(f"\n  Function Name: '{name}'")
        for number, concrete in enumerate(found[name].concretes, 1):
            print(f"    Option #{number}")
            pos, kw = concrete.structured_input_signature
            if not pos and not kw:
                continue
            print("      Callable with:")
            names = concrete._binder.names
            for place, value in enumerate(pos, 1):
                print(f"        Argument #{place}")
                _argument(value, names[place - 1] if place <= len(names) else f"args_{place - 1}", " " * 10)
            for place, (key, value) in enumerate(sorted(kw.items()), 1):
                print(f"        Named Argument #{place}")
                _argument(value, key, " " * 10)
    print()


def show(directory: str, everything: bool = True, tags: str | None = None, signature: str | None = None) -> None:
    """Prints what `saved_model_cli show` prints: everything, the tag-sets, the keys of a tag-set, or one signature."""
    metas = read_meta_graphs(read_file(os.path.join(directory, "saved_model.pb")))
    if signature is not None:
        definitions = _meta_graph(metas, tags).signature_def
        if signature not in definitions:
            raise ValueError(f'Could not find signature "{signature}". Please choose from: {", ".join(sorted(definitions))}')
        _signature(definitions[signature], "")
        return
    if tags is not None:
        print("The given SavedModel MetaGraphDef contains SignatureDefs with the following keys:")
        for name in sorted(_meta_graph(metas, tags).signature_def):
            print(f'SignatureDef key: "{name}"')
        return
    if not everything:
        print("The given SavedModel contains the following tag-sets:")
        for text in sorted(", ".join(sorted(f"'{tag}'" for tag in meta.meta_info_def.tags)) for meta in metas):
            print(text)
        return
    for meta in metas:
        print(f"\nMetaGraphDef with tag-set: '{', '.join(meta.meta_info_def.tags)}' contains the following SignatureDefs:")
        for name in sorted(meta.signature_def):
            print(f"\nsignature_def['{name}']:")
            _signature(meta.signature_def[name], "  ")
        ops = {node.op for node in meta.graph_def.node} | {node.op for f in meta.graph_def.library.function for node in f.node_def}
        if ops:
            print(f"The MetaGraph with tag set {list(meta.meta_info_def.tags)} contains the following ops: {', '.join(sorted(ops))}")
    _functions(directory)
    nodes = decode(read_file(os.path.join(directory, "saved_model.pb")), None)["nodes"]
    print(f"The MetaGraph has {len(nodes)} objects, {sum(node['kind'] == 'variable' for node in nodes)} of them variables.")


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
    parser.add_argument("--all", action="store_true", help="show everything (the default for DIR without options)")
    parser.add_argument("--tag_set", help="the tags of the MetaGraphDef, with commas between")
    parser.add_argument("--signature_def", help="which signature; for run, serving_default if it is not given")
    parser.add_argument("--inputs", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--outdir")
    args = parser.parse_args(argv)
    directory = args.dir or args.dir_option
    if not directory:
        parser.error("which directory?")
    try:
        if args.action == "show":
            show(directory, args.all or args.dir_option is None, args.tag_set, args.signature_def)
        else:
            run(directory, args.signature_def or "serving_default", args.inputs, args.outdir)
    except (errors.OpError, OSError, ValueError, TypeError, KeyError, NotImplementedError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
