"""Damaged and hostile files for every reader: `python -m tests.fuzz.fuzz [COUNT [TARGET …]]`.

Each target runs in a process of its own, with limits on memory and time. What counts as a failure: a crash, an input that takes longer
than ten seconds, an exception that is none of those a caller is told to expect, memory beyond the limit, a file opened for writing
outside of the working directory, a process started, code unmarshalled or unpickled.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILES = Path(__file__).parents[1] / "conformance" / "files"
SECONDS = 10
MEMORY = 2 << 30  # beyond what the process has when it begins
_FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "marshal.loads", "pickle.find_class", "ctypes.dlopen")


# --- damaging --------------------------------------------------------------------------------------------------------
def damage(content: bytes, rng: random.Random, text: bool = False) -> bytes:
    """Some bytes changed, taken away, repeated, or put in."""
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not out:
            break
        place = rng.randrange(len(out))
        length = min(rng.choice((1, 1, 2, 4, 8, 30, 200)), len(out) - place)
        kind = rng.random()
        if kind < 0.3:
            out[place] ^= 1 << rng.randrange(8)
        elif kind < 0.5:
            out[place] = rng.choice(b'0129{}[],":a-') if text else rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
        elif kind < 0.6:
            out[place : place + length] = bytes(length) if rng.random() < 0.5 else b"\xff" * length
        elif kind < 0.72:
            del out[place : place + length]
        elif kind < 0.84:
            out[place:place] = out[place : place + length]
        elif kind < 0.94:
            other = rng.randrange(len(out))
            out[place : place + length] = out[other : other + length]
        else:
            del out[place:]
    return bytes(out)


def damage_json(value: Any, rng: random.Random) -> Any:
    """A JSON value with one place changed, so that what comes after parsing is reached."""
    spots: list[tuple[Any, Any]] = []

    def walk(item: Any) -> None:
        for key in item if isinstance(item, dict) else range(len(item)):
            spots.append((item, key))
            if isinstance(item[key], (dict, list)):
                walk(item[key])

    copy = json.loads(json.dumps(value))
    walk(copy)
    for _ in range(rng.choice((1, 1, 2, 4))):
        item, key = rng.choice(spots)
        kind = rng.random()
        if kind < 0.25 and isinstance(item, dict):
            item.pop(key, None)
        elif kind < 0.5:
            other, place = rng.choice(spots)
            try:
                item[key] = json.loads(json.dumps(other[place]))
            except (KeyError, IndexError, ValueError):
                continue  # taken away by an earlier change
        else:
            choice = [None, True, -1, 0, 1 << 40, 1e300, "", "x", "../../x", [], {}, [[]], {"class_name": "Lambda", "config": {}}, "os.system"]
            item[key] = rng.choice(choice)
    return copy


# --- targets ---------------------------------------------------------------------------------------------------------
Target = Callable[[str], Iterator[Callable[[random.Random], None]]]
TARGETS: dict[str, Target] = {}


def target(name: str) -> Callable[[Target], Target]:
    def declare(function: Target) -> Target:
        TARGETS[name] = function
        return function

    return declare


def _write(path: str, content: bytes) -> str:
    with open(path, "wb") as file:
        file.write(content)
    return path


@target("sstable")
def _sstable(directory: str) -> Any:
    from tf2compat_adapters.tensorflow_bundle import sstable

    content = (FILES / "tree" / "ckpt-1.index").read_bytes()
    entries = list(sstable.read(content))

    def one(rng: random.Random) -> None:
        if rng.random() < 0.5:
            data = damage(content, rng)
        else:
            changed = [(damage(k, rng) if rng.random() < 0.05 else k, damage(v, rng) if rng.random() < 0.2 else v) for k, v in entries]
            data = sstable.build(changed)
        try:
            list(sstable.read(data))
        except sstable.Damaged as error:
            raise ValueError(str(error)) from error

    return one


@target("bundle")
def _bundle(directory: str) -> Any:
    from tf2compat_adapters.tensorflow_bundle import sstable
    from tf2compat_adapters.tensorflow_bundle.reader import BundleReader

    prefix = os.path.join(directory, "ckpt-1")
    shutil.copy(FILES / "tree" / "ckpt-1.data-00000-of-00001", directory)
    index = (FILES / "tree" / "ckpt-1.index").read_bytes()
    data = (FILES / "tree" / "ckpt-1.data-00000-of-00001").read_bytes()
    entries = list(sstable.read(index))

    def one(rng: random.Random) -> None:
        changed = sstable.build([(k, damage(v, rng) if rng.random() < 0.1 else v) for k, v in entries])
        _write(prefix + ".index", changed)
        if rng.random() < 0.2:
            _write(prefix + ".data-00000-of-00001", damage(data, rng))
        reader = BundleReader(prefix)
        for name in reader.entries:
            try:
                reader.read(name).numpy()
            except EXPECTED:
                continue

    return one


@target("safetensors")
def _safetensors(directory: str) -> Any:
    from tf2compat_adapters import checkpoint_safetensors as adapter
    from tf2compat_adapters import crc32c

    import tf2compat as tf

    words = tf.Variable(["a", "bc"])
    tf.train.Checkpoint(a=tf.Variable(tf.ones([3, 4])), b=tf.Variable(1j), c=words, d=tf.Variable(3)).write(os.path.join(directory, "x"))
    path = os.path.join(directory, "x.safetensors")
    content = Path(path).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])

    def one(rng: random.Random) -> None:
        kind = rng.random()
        if kind < 0.2:
            data = damage(content, rng)
        elif kind < 0.5:
            head = damage(content[8 : 8 + length], rng, text=True)
            data = len(head).to_bytes(8, "little") + head + content[8 + length :]
        else:  # with a checksum that matches
            new = damage_json(header, rng)
            meta = new.get("__metadata__") if isinstance(new, dict) else None
            if isinstance(meta, dict):
                meta.pop(adapter._HEADER_SUM, None)
                rest = {k: v for k, v in new.items() if k != "__metadata__"}
                meta[adapter._HEADER_SUM] = f"{crc32c.value(adapter._dump([rest, meta])):08x}"
            head = json.dumps(new).encode()
            data = len(head).to_bytes(8, "little") + head + content[8 + length :]
        reader = adapter.SafetensorsReader(_write(path, data))
        for name in reader.entries:
            try:
                reader.read(name).numpy()
            except EXPECTED:
                continue

    return one


@target("object_graph")
def _object_graph(directory: str) -> Any:
    from tf2compat_adapters.object_graph import TrackableObjectGraph

    import tf2compat as tf

    content = tf.train.load_checkpoint(str(FILES / "tree" / "ckpt-1")).get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
    return lambda rng: TrackableObjectGraph.decode(damage(content, rng))


@target("checkpoint_state")
def _checkpoint_state(directory: str) -> Any:
    import tf2compat as tf

    content = (FILES / "tree" / "checkpoint").read_bytes()

    def one(rng: random.Random) -> None:
        _write(os.path.join(directory, "checkpoint"), damage(content, rng, text=True))
        tf.train.latest_checkpoint(directory)

    return one


def _saved_model(source: Path, directory: str, call: float) -> Any:
    import tf2compat as tf

    place = os.path.join(directory, "model")
    shutil.copytree(source, place)
    path = os.path.join(place, "saved_model.pb")
    content = Path(path).read_bytes()
    inputs = {key[3:]: value for key, value in dict(__import__("numpy").load(str(source) + ".npz")).items() if key.startswith("in_")}

    def one(rng: random.Random) -> None:
        _write(path, damage(content, rng))
        model = tf.saved_model.load(place)
        if rng.random() < call:
            for signature in model.signatures.values():
                signature(**{key: tf.constant(value) for key, value in inputs.items()})

    return one


@target("saved_model.pb")
def _saved_model_flow(directory: str) -> Any:
    return _saved_model(FILES / "graphs" / "flow", directory, 0.1)


@target("saved_model.pb (tables)")
def _saved_model_tables(directory: str) -> Any:
    return _saved_model(FILES / "graphs" / "tables", directory, 0.1)


@target("tf2compat_functions.json")
def _functions(directory: str) -> Any:
    import tf2compat as tf

    class Net(tf.Module):
        def __init__(self) -> None:
            self.w = tf.Variable([[1.0, 2.0]])

        @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32)])
        def __call__(self, x: Any) -> Any:
            if tf.reduce_sum(x) > 0:
                x = tf.nn.relu(x)
            return {"y": tf.matmul(x, self.w)[:, ::-1]}

    place = os.path.join(directory, "net")
    tf.saved_model.save(Net(), place)
    path = os.path.join(place, "tf2compat_functions.json")
    content = Path(path).read_bytes()
    parsed = json.loads(content)

    def one(rng: random.Random) -> None:
        changed = damage(content, rng, text=True) if rng.random() < 0.4 else json.dumps(damage_json(parsed, rng)).encode()
        _write(path, changed)
        model = tf.saved_model.load(place)
        if rng.random() < 0.3:
            before = tf.compile_options()
            tf.compile_options(backend="eager")  # a function that says so is compiled, by a program that may not be started here
            try:
                model(tf.ones([2, 1]))
            finally:
                tf.compile_options(**before)

    return one


@target(".keras")
def _keras(directory: str) -> Any:
    import tf2compat as tf

    tf.keras.Sequential([tf.keras.layers.Dense(3, activation="relu", input_shape=(2,)), tf.keras.layers.Dense(1)]).save(os.path.join(directory, "m.keras"))
    path = os.path.join(directory, "m.keras")
    content = Path(path).read_bytes()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    third = {}
    with zipfile.ZipFile(FILES / "keras3" / "sequential.keras") as archive:
        third = {name: archive.read(name) for name in archive.namelist()}

    def one(rng: random.Random) -> None:
        kind = rng.random()
        if kind < 0.3:
            data = damage(content, rng)
        else:
            members = dict(parts if rng.random() < 0.6 else third)
            if kind < 0.8:
                members["config.json"] = json.dumps(damage_json(json.loads(members["config.json"]), rng)).encode()
            else:
                members["model.weights.h5"] = damage(members["model.weights.h5"], rng)
            if rng.random() < 0.05:
                members["assets/../../../escaped"] = b"x"
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as archive:
                for name, value in members.items():
                    archive.writestr(name, value)
            data = buffer.getvalue()
        tf.keras.models.load_model(_write(path, data))

    return one


@target(".h5")
def _hdf5(directory: str) -> Any:
    import tf2compat as tf

    model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation="relu", input_shape=(2,)), tf.keras.layers.Dense(1)])
    path = os.path.join(directory, "m.h5")
    model.save(path)
    content = Path(path).read_bytes()

    def one(rng: random.Random) -> None:
        _write(path, damage(content, rng))
        tf.keras.models.load_model(path)

    return one


# --- running ---------------------------------------------------------------------------------------------------------
EXPECTED: Any = ()


def _expected() -> Any:
    import tf2compat as tf

    return (tf.errors.OpError, ValueError, NotImplementedError, OSError, RuntimeError, AssertionError, TypeError)


class _Slow(BaseException):
    pass


def _alarm(*_: Any) -> None:
    raise _Slow


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def child(name: str, first: int, count: int) -> None:
    """Runs inputs `first` to `first + count` and prints a line for each failure, and a line with the number of the next input."""
    global EXPECTED
    import logging

    import tf2compat_adapters.crc32c  # noqa: F401 - it opens a library, which must not count

    logging.disable(logging.CRITICAL)
    EXPECTED = _expected()
    directory = tempfile.mkdtemp()
    one = TARGETS[name](directory)
    try:
        one(random.Random("warm"))
    except EXPECTED:
        pass
    state = {"on": False}

    def watch(event: str, arguments: Any) -> None:
        if not state["on"]:
            return
        if event == "marshal.loads" and "importlib" in sys._getframe(1).f_code.co_filename:
            return  # a module's own compiled code, on its first use
        if event in _FORBIDDEN:
            raise _Forbidden(f"{event} {arguments!r:.200}")
        if event == "open" and isinstance(arguments[0], (str, bytes)) and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            place = os.path.realpath(os.fsdecode(arguments[0]))
            if not place.startswith((os.path.realpath(tempfile.gettempdir()), "/dev/null")) and "__pycache__" not in place:
                raise _Forbidden(f"{place} opened for writing")

    sys.addaudithook(watch)
    limit = _resident() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, _alarm)
    refused = 0
    for number in range(first, first + count):
        print("next", number, flush=True)
        rng = random.Random(f"{name} {number}")
        signal.alarm(SECONDS)
        state["on"] = True
        try:
            one(rng)
        except EXPECTED:
            refused += 1
        except _Slow:
            print("failure", number, f"took longer than {SECONDS} s", flush=True)
        except BaseException as error:  # noqa: BLE001 - everything else is what is looked for
            print("failure", number, f"{type(error).__name__}: {str(error)[:300]}", flush=True)
        finally:
            state["on"] = False
            signal.alarm(0)
    shutil.rmtree(directory, ignore_errors=True)
    print("done", refused, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


class _Forbidden(BaseException):
    pass


def run(name: str, count: int, first: int = 0) -> tuple[list[str], int]:
    """The failures of a target in `count` inputs, and how many inputs were refused."""
    failures: list[str] = []
    refused = 0
    number, end = first, first + count
    while number < end:
        command = [sys.executable, "-m", "tests.fuzz.fuzz", "--child", name, str(number), str(end - number)]
        process = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=Path(__file__).parents[2])
        last = number
        finished = False
        for line in process.stdout.splitlines():
            word, _, rest = line.partition(" ")
            if word == "next":
                last = int(rest)
            elif word == "failure":
                failures.append(f"{name} {rest}")
            elif word == "done":
                finished = True
                refused += int(rest.split()[0])
        if finished:
            break
        failures.append(f"{name} {last} the process ended with {process.returncode}: {process.stderr[-300:]}")
        number = last + 1
    return failures, refused


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--child"]:
        child(arguments[1], int(arguments[2]), int(arguments[3]))
        return 0
    count = int(arguments[0]) if arguments else 20_000
    failed = 0
    for name in arguments[1:] or TARGETS:
        start = time.perf_counter()
        failures, refused = run(name, count)
        print(f"{name}: {count} inputs, {refused} refused, {len(failures)} failures, {time.perf_counter() - start:.0f} s", flush=True)
        for failure in failures[:20]:
            print("   ", failure, flush=True)
        failed += len(failures)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
