"""`tf.saved_model.save`."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from typing import Any

from tf2compat import _ports
from tf2compat._engine import trackable
from tf2compat._engine.concrete import ConcreteFunction
from tf2compat._engine.graph_json import GraphWriter, NotSaveable
from tf2compat._engine.logs import get_logger
from tf2compat._engine.tensor import wrap
from tf2compat._engine.variable import Variable
from tf2compat._engine.wrappers import TrackableDataStructure
from tf2compat._files import write_atomic
from tf2compat._ports.checkpoint import TensorData
from tf2compat.saved_model import _functions, _layout
from tf2compat.train import _formats
from tf2compat.train._saving import ATTRIBUTES, VARIABLE_VALUE, Tree, collect, escape, slot_key
from tf2compat.train._sharding import sharded
from tf2compat.train._tensors import to_data

_log = get_logger()


class SaveOptions:
    """How a SavedModel is written (`tf.saved_model.SaveOptions`). Options that change what TensorFlow's graphs hold have no effect on ours;
    those that would be ignored are refused."""

    def __init__(
        self,
        namespace_whitelist: Any = None,
        save_debug_info: bool = False,
        function_aliases: Mapping[str, Any] | None = None,
        experimental_debug_stripper: bool = False,
        experimental_io_device: str | None = None,
        experimental_variable_policy: Any = None,
        experimental_custom_gradients: bool = True,
        experimental_image_format: bool = False,
        experimental_skip_saver: bool = False,
        experimental_sharding_callback: Any = None,
        extra_tags: Any = None,
    ) -> None:
        refused = {
            "save_debug_info": save_debug_info, "experimental_debug_stripper": experimental_debug_stripper,
            "experimental_image_format": experimental_image_format,
            "function_aliases": function_aliases,
        }  # fmt: skip
        given = [name for name, value in refused.items() if value]
        if given:
            raise ValueError(f"SaveOptions: {', '.join(given)} not supported by tf2compat.")
        self.namespace_whitelist = list(namespace_whitelist or [])
        from tf2compat.saved_model.experimental import VariablePolicy

        self.experimental_variable_policy = VariablePolicy.from_obj(experimental_variable_policy)
        self.experimental_io_device = experimental_io_device
        self.experimental_custom_gradients = experimental_custom_gradients
        self.experimental_skip_saver = experimental_skip_saver
        self.experimental_sharding_callback = experimental_sharding_callback
        self.extra_tags = list(extra_tags or [])


def _signatures(obj: Any, given: Any) -> dict[str, Any]:
    if given is None:
        found = _functions.default_signature(obj)
        return {} if found is None else {_layout.DEFAULT_SIGNATURE: found}
    if not isinstance(given, Mapping):
        given = {_layout.DEFAULT_SIGNATURE: given}
    for name in given:
        if not isinstance(name, str):
            raise ValueError(f"The names of signatures must be strings, got {name!r}.")
        if name == "__saved_model_init_op":
            raise ValueError(f"Signature key is reserved for initialization op: {name}.")
    return {name: _functions.signature_of(name, value) for name, value in given.items()}


def _of_layer(item: Any) -> dict[str, Any]:
    """Functions of a layer in a Keras model, where its class is the program's."""
    if not hasattr(item, "_saved_call") or hasattr(item, "save_spec"):
        return {}
    if type(item).__module__.startswith("tf2compat.") and "_restored" not in vars(item):
        return {}  # whoever loads it has the class
    try:
        return _functions.calls_of_layer(item)
    except Exception as problem:  # noqa: BLE001 - it may need what only the model gives it
        _log.warning("The call of the layer '%s' alone is not saved: %s", item.name, problem)
        return {}


def _kind(item: Any) -> str:
    if isinstance(item, Variable):
        return "variable"
    if isinstance(item, _layout.Asset):
        return "asset"
    if isinstance(item, TrackableDataStructure):
        return "dict" if isinstance(item, dict) else "tuple" if isinstance(item, tuple) else "list"
    return "object"


def save(obj: Any, export_dir: Any, signatures: Any = None, options: SaveOptions | None = None, _extra: Any = None, _traces: bool = True) -> None:
    """Writes an object with its variables, assets and traced functions (`tf.saved_model.save`).

    The functions are in a file of our own, which holds data and no code, and are callable after loading without the program that made them. The
    directory has TensorFlow's layout and the functions as its GraphDef as well, so that TensorFlow, TF Serving and TFLite can run them; a warning
    names those for which TensorFlow has no ops. Raises ValueError for what is not trackable or for an
    unusable signature, and AssertionError for a function that uses a variable outside of the object.
    """
    if not isinstance(obj, trackable.Trackable):
        raise ValueError(
            "Expected an object of type `Trackable`, such as `tf.Module` or a subclass of the `Trackable` class, for export. Got "
            f"{obj} with type {type(obj)}."
        )
    held = vars(obj).get("signatures")
    if isinstance(held, (trackable.Trackable, dict)):
        raise ValueError(
            f"Exporting an object {obj} which has an attribute named 'signatures'. This is a reserved attribute used to store SavedModel "
            "signatures in objects which come from `tf.saved_model.load`. Delete this attribute (e.g. `del obj.signatures`) before saving if "
            "this shadowing is acceptable."
        )
    directory = _formats.path_text(export_dir)
    chosen = _signatures(obj, signatures)
    tree = Tree(obj, save_type="savedmodel")
    slots: dict[int, int] = {}  # variables that optimizers keep for others, which are no children of theirs
    writer = GraphWriter(lambda variable: _number(tree, variable, slots))
    writer.files = {id(item.storage): number for number, item in enumerate(tree.objects) if isinstance(item, _layout.Asset)}
    writer.trace = lambda concrete: _functions.write_concrete(concrete, writer)
    concretes: list[Any] = []
    places: dict[int, int] = {}

    def put(concrete: Any) -> int:
        number = places.get(id(concrete))
        if number is None:
            number = places[id(concrete)] = len(concretes)
            concretes.append(concrete)
        return number

    nodes = []
    assets: dict[str, str] = {}
    for item, edges in zip(tree.objects, tree.edges, strict=True):
        node: dict[str, Any] = {"kind": _kind(item), "children": edges}
        if isinstance(item, Variable):
            node["variable"] = _described(item, options)
        elif isinstance(item, _layout.Asset):
            node["asset"] = _add_asset(item.path, assets)
        identifier = getattr(type(item), "_saved_as", None)
        if identifier is not None:
            node["identifier"] = identifier
        found = _functions.functions_of(item)
        if item is not obj and hasattr(obj, "save_spec") and _traces:
            found = {**_of_layer(item), **found}
        if item is obj and signatures is None and chosen and hasattr(obj, "save_spec"):  # by which a program saves it again that has loaded it
            found[_functions.DEFAULT] = next(iter(chosen.values()))
        functions = {name: [put(c) for c in _functions.concretes_of(value)] for name, value in found.items()}
        if functions:
            node["functions"] = {name: numbers for name, numbers in functions.items() if numbers}
            plain = [name for name in node["functions"] if isinstance(found[name], ConcreteFunction)]
            if plain:
                node["plain"] = plain
            untraced = [name for name, numbers in functions.items() if not numbers and not name.startswith("__")]
            if untraced and node["kind"] == "object" and not hasattr(item, "save_spec"):
                node["untraced"] = {name: getattr(found[name], "_jit_compile", None) for name in untraced}
        nodes.append(node)
    kept = _add_slots(tree, nodes, slots, options)
    described = {}
    for name, concrete in chosen.items():
        described[name] = {
            "concrete": put(concrete), "inputs": _input_names(concrete), "outputs": _functions.output_names(concrete),
        }  # fmt: skip
    content: list[Any] = []
    for number, concrete in enumerate(concretes):
        try:
            content.append(_functions.write_concrete(concrete, writer))
        except NotSaveable as problem:
            if any(entry["concrete"] == number for entry in described.values()) or not hasattr(obj, "save_spec"):
                raise ValueError(f"A function cannot be saved: {problem}.") from None
            # Of a Keras model the description is saved too: it comes back without this trace.
            _log.warning("A trace of %s is not saved: %s.", concrete._name, problem)
            content.append(None)
    for node in nodes:
        for name, numbers in list(node.get("functions", {}).items()):
            node["functions"][name] = [n for n in numbers if content[n] is not None]
            if not node["functions"][name]:
                del node["functions"][name]
    identity = secrets.token_hex(16)
    tensors = collect(obj, save_type="savedmodel")
    tensors += [(f"{_layout.CONSTANTS}/{i}", to_data(value if not hasattr(value, "detach") else wrap(value))) for i, value in enumerate(writer.constants)]
    tensors.append((_layout.IDENTITY, TensorData.of_bytes(identity.encode())))
    callback = options.experimental_sharding_callback if options is not None else None
    shards = None if callback is None else sharded(tensors, callback, obj)
    _formats.write(os.path.join(directory, "variables", "variables"), tensors, "tensorflow", shards)
    os.makedirs(os.path.join(directory, "assets"), exist_ok=True)
    for name, source in assets.items():
        with open(source, "rb") as file:
            write_atomic(os.path.join(directory, "assets", name), file.read())
    functions_file = {"format": 1, "identity": identity, "nodes": nodes, "concretes": content, "signatures": described, "held": writer.held}
    write_atomic(os.path.join(directory, _layout.FUNCTIONS), json.dumps(functions_file, separators=(",", ":")).encode())
    if _extra is not None:
        for number, identifier in _extra(directory, tree).items():
            nodes[number]["identifier"] = identifier
    # Last: without it the directory is not a SavedModel.
    signature_specs = {name: (_inputs_of(concretes[d["concrete"]], d["inputs"]), _outputs_of(concretes[d["concrete"]], d["outputs"])) for name, d in described.items()}
    tags = ["serve", *(options.extra_tags if options else ())]
    program = {
        "concretes": [c if content[n] is not None else None for n, c in enumerate(concretes)],
        "signatures": {name: (concretes[d["concrete"]], d["inputs"], d["outputs"]) for name, d in described.items()},
        "variables": dict([*_keys(tree), *kept]), "number_of": lambda variable: _number(tree, variable, slots),
    }  # fmt: skip
    proto, problems = _ports.load("saved_model", "tensorflow").encode(nodes, signature_specs, tags, program)
    if problems:
        _log.warning(
            "TensorFlow itself cannot run these functions of %s (tf2compat can): %s", directory,
            "; ".join(f"{name}: {why}" for name, why in problems.items()),
        )  # fmt: skip
    write_atomic(os.path.join(directory, _layout.PROTO), proto)
    hashed = [proto, [c["graph"] for c in content if c is not None], described, nodes, os.path.join(directory, "variables", "variables.index")]
    write_atomic(os.path.join(directory, "fingerprint.pb"), _fingerprint(hashed))


def _fingerprint(parts: list[Any]) -> bytes:
    """TensorFlow's FingerprintDef: a number for each of the file, the program, the signatures, the objects and the checkpoint."""
    numbers = []
    for part in parts:
        if isinstance(part, str):
            with open(part, "rb") as file:
                part = file.read()
        data = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":"), sort_keys=True).encode()
        numbers.append(int.from_bytes(hashlib.sha256(data).digest()[:8], "little"))
    made = _ports.load("protos", "tensorflow").FingerprintDef()
    made.saved_model_checksum, made.graph_def_program_hash, made.signature_def_hash, made.saved_object_graph_hash, made.checkpoint_hash = numbers
    made.version.producer = 4
    return made.SerializeToString()


def _keys(tree: Tree) -> list[tuple[str, Variable]]:
    """The variables of the tree by their checkpoint keys."""
    return [
        ("/".join(escape(name) for name in path) + "/" + ATTRIBUTES + VARIABLE_VALUE, item)
        for item, path in zip(tree.objects, tree.paths, strict=True)
        if isinstance(item, Variable)
    ]


def _described(item: Variable, options: SaveOptions | None) -> dict[str, Any]:
    about = {
        "dtype": item.dtype.name, "shape": None if item.shape.rank is None else item.shape.as_list(),
        "trainable": item.trainable, "name": item._shared_name,
        "synchronization": item.synchronization.name, "aggregation": item.aggregation.name,
    }  # fmt: skip
    if options is not None and options.experimental_variable_policy.value is not None:
        about["device"] = str(item.device)
    return about


def _add_slots(tree: Tree, nodes: list[dict[str, Any]], slots: dict[int, int], options: SaveOptions | None) -> list[tuple[str, Variable]]:
    """Nodes for what optimizers keep for variables of the tree, whose numbers go to `slots`; these variables by their checkpoint keys."""
    kept = []
    for item, node, key in [(i, n, k) for i, n, k in zip(tree.objects, list(nodes), tree.paths, strict=True) if hasattr(i, "_slots_for_save")]:
        for variable, slot, value in item._slots_for_save():
            owner = tree.numbers.get(id(variable))
            if owner is None or id(value) in slots:
                continue
            slots[id(value)] = len(nodes)
            node.setdefault("slots", []).append((owner, slot, len(nodes)))
            nodes.append({"kind": "variable", "children": [], "variable": _described(value, options)})
            kept.append((slot_key(tree.paths[owner], key, slot), value))
    return kept


def _number(tree: Tree, variable: Variable, slots: dict[int, int]) -> int:
    number = tree.numbers.get(id(variable), slots.get(id(variable)))
    if number is None:  # a replica's component stands for the whole
        number = tree.numbers.get(id(getattr(variable, "_container", None)))
    if number is None:  # what a wrapper in the tree holds
        number = next((n for n, item in enumerate(tree.objects) if isinstance(item, Variable) and getattr(item, "_of", None) is variable), None)
    if number is None:
        raise AssertionError(
            f"Tried to export a function which references an 'untracked' resource. TensorFlow objects (e.g. tf.Variable) captured by functions "
            f"must be 'tracked' by assigning them to an attribute of a tracked object or assigned to an attribute of the main object directly. "
            f"See the information below:\n\tTrackable referencing this tensor = {variable!r}"
        )
    return number


def _input_names(concrete: Any) -> list[str]:
    names: list[str] = []
    for name in concrete._argument_names():
        names.append(name if name not in names else f"{name}_{len(names)}")
    return names


def _inputs_of(concrete: Any, names: list[str]) -> dict[str, Any]:
    return {n: (dtype.name, dims) for n, (dtype, dims) in zip(names, concrete._specs, strict=True)}


def _outputs_of(concrete: Any, names: list[str]) -> dict[str, Any]:
    results = [o for o in concrete.graph.outputs if o is not None]
    return {n: (o.dtype.name, None if o.shape.rank is None else tuple(o.shape.as_list())) for n, o in zip(names, results, strict=True)}


def _add_asset(path: str, assets: dict[str, str]) -> str:
    base = name = os.path.basename(path)
    number = 1
    while assets.get(name, path) != path:
        name, number = f"{base}_{number}", number + 1
    assets[name] = path
    return name
