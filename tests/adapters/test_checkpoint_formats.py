"""Checkpoint formats: what TensorFlow wrote, both directions, damage, and commits that are whole or absent."""

import os
import random
import shutil

import numpy as np
import pytest

from tf2compat import _ports, errors
from tf2compat._files import remove_leftovers
from tf2compat._ports.checkpoint import ITEM_SIZE, TensorData, numpy_dtype

FILES = os.path.join(os.path.dirname(__file__), os.pardir, "conformance", "files")
FORMATS = ["tensorflow", "safetensors"]


@pytest.fixture(params=FORMATS)
def fmt(request):
    return _ports.load("checkpoint", request.param)


def samples():
    rng = np.random.default_rng(0)
    out = {f"typed/{name}": TensorData.of_array(rng.integers(0, 2, (3, 2)).astype(numpy_dtype(name))) for name in sorted(ITEM_SIZE) if name[0] != "q"}
    out["scalar"] = TensorData.of_array(np.float32(3.5))
    out["empty"] = TensorData.of_array(np.zeros((0, 3), np.float32))
    out["string"] = TensorData.of_array(np.array([[b"a", b""], [b"c" * 1000, "ü".encode()]], object))
    out["one string"] = TensorData.of_bytes(b"x\x00y")
    out["no strings"] = TensorData.of_array(np.zeros((0,), object))
    out["quantized"] = TensorData("qint8", (4,), np.arange(4, dtype=np.uint8))
    return out


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.data.tolist() == b.data.tolist()


def test_round_trip(fmt, tmp_path):
    prefix = str(tmp_path / "sub" / "ck*pt[1]")
    tensors = samples()
    assert not fmt.exists(prefix)
    fmt.write(prefix, tensors.items())
    assert fmt.exists(prefix)
    reader = fmt.open(prefix)
    assert set(reader.entries) == set(tensors)
    for name, data in tensors.items():
        assert (reader.entries[name].dtype, reader.entries[name].shape) == (data.dtype, data.shape)
        assert same(reader.read(name), data), name
    with pytest.raises(errors.NotFoundError, match="Key nothing not found"):
        reader.read("nothing")
    fmt.delete(prefix)
    assert os.listdir(tmp_path / "sub") == []


def test_overwriting_leaves_only_the_new_one(fmt, tmp_path):
    prefix = str(tmp_path / "ckpt")
    for round_number in range(4):
        fmt.write(prefix, [("x", TensorData.of_array(np.full(5, round_number)))])
        assert fmt.open(prefix).read("x").numpy().tolist() == [round_number] * 5
    assert len(os.listdir(tmp_path)) <= 3
    assert sorted(fmt.files(prefix)) == sorted(str(tmp_path / name) for name in os.listdir(tmp_path))


def test_an_open_reader_keeps_what_it_opened(fmt, tmp_path):
    prefix = str(tmp_path / "ckpt")
    fmt.write(prefix, [("x", TensorData.of_array(np.arange(5)))])
    reader = fmt.open(prefix)
    view = reader.read("x").numpy()
    fmt.write(prefix, [("x", TensorData.of_array(np.arange(5) + 7))])
    assert view.tolist() == [0, 1, 2, 3, 4]


def test_many_tensors_make_several_blocks(tmp_path):
    bundle = _ports.load("checkpoint", "tensorflow")
    tensors = [(f"a/rather/long/name/of/a/variable/number/{i:06d}", TensorData.of_array(np.int64(i))) for i in range(12000)]
    bundle.write(str(tmp_path / "x"), tensors)
    reader = bundle.open(str(tmp_path / "x"))
    assert len(reader.entries) == 12000
    assert reader.read(tensors[7777][0]).numpy() == 7777


def test_two_tensors_of_one_name(fmt, tmp_path):
    data = TensorData.of_array(np.zeros(2))
    with pytest.raises(errors.InvalidArgumentError, match="two tensors named 'x'"):
        fmt.write(str(tmp_path / "ckpt"), [("x", data), ("x", data)])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["tree/ckpt-1", "sharded/ckpt", "partitioned/model"])
def test_reads_what_tensorflow_wrote(kind):
    reader = _ports.load("checkpoint", "tensorflow").open(os.path.join(FILES, kind))
    values = {name: reader.read(name).numpy() for name in reader.entries}
    if kind == "partitioned/model":
        assert values["scope/small"].tolist() == np.arange(24.0).reshape(6, 4).tolist()
    elif kind == "sharded/ckpt":
        for i in range(4):
            assert values[f"many/{i}/.ATTRIBUTES/VARIABLE_VALUE"].tolist() == (np.arange(64) + i).tolist()
    else:
        assert values["tree/words/.ATTRIBUTES/VARIABLE_VALUE"].tolist() == [b"a", b"", b"b" * 300]
        for name in ITEM_SIZE:
            if name[0] != "q" and not name.startswith("float8"):
                found = values[f"typed/{name}/.ATTRIBUTES/VARIABLE_VALUE"]
                assert found.dtype == numpy_dtype(name)
                assert found.tolist() == [0, 1, 1]


def test_safetensors_of_other_programs(tmp_path):
    numpy_side = pytest.importorskip("safetensors.numpy")
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([True, False]), "c": np.array(3, np.int64)}
    numpy_side.save_file(arrays, tmp_path / "x.safetensors", metadata={"who": "cares"})
    fmt = _ports.load("checkpoint", "safetensors")
    reader = fmt.open(str(tmp_path / "x"))
    assert {name: reader.read(name).numpy().tolist() for name in reader.entries} == {k: v.tolist() for k, v in arrays.items()}
    fmt.write(str(tmp_path / "y"), [(name, reader.read(name)) for name in reader.entries])
    back = numpy_side.load_file(tmp_path / "y.safetensors")
    assert {name: array.tolist() for name, array in back.items()} == {k: v.tolist() for k, v in arrays.items()}


def data_file(fmt, prefix):
    return next(path for path in fmt.files(prefix) if not path.endswith(".index"))


def test_every_flipped_bit_is_noticed(fmt, tmp_path):
    prefix = str(tmp_path / "ckpt")
    tensors = {"first": TensorData.of_array(np.arange(4)), "words": TensorData.of_array(np.array([b"ab", b"c"], object))}
    fmt.write(prefix, tensors.items())
    for path in fmt.files(prefix):
        with open(path, "rb") as file:
            good = file.read()
        for position in range(len(good)):
            bad = bytearray(good)
            bad[position] ^= 1 << (position % 8)
            with open(path, "wb") as file:
                file.write(bad)
            try:
                reader = fmt.open(prefix)
                read = {name: reader.read(name) for name in reader.entries}
            except (errors.DataLossError, errors.UnimplementedError, errors.NotFoundError):
                continue
            # Only what carries no information may change unnoticed: padding.
            assert set(read) == set(tensors)
            assert all(same(read[name], tensors[name]) for name in tensors), position
        with open(path, "wb") as file:
            file.write(good)


def test_damage_names_the_tensor(fmt, tmp_path):
    prefix = str(tmp_path / "ckpt")
    fmt.write(prefix, [("good", TensorData.of_array(np.zeros(100, np.float32))), ("bad", TensorData.of_array(np.ones(100, np.float32)))])
    path = data_file(fmt, prefix)
    with open(path, "rb+") as file:
        content = file.read()
        file.seek(content.rindex(np.ones(100, np.float32).tobytes()) + 50)
        file.write(b"\x55")
    reader = fmt.open(prefix)
    reader.read("good")
    with pytest.raises(errors.DataLossError, match="'bad'"):
        reader.read("bad")


def test_truncated_and_missing_files(fmt, tmp_path):
    prefix = str(tmp_path / "ckpt")
    fmt.write(prefix, [("x", TensorData.of_array(np.zeros(1000)))])
    path = data_file(fmt, prefix)
    os.truncate(path, os.path.getsize(path) - 100)
    with pytest.raises(errors.DataLossError):
        fmt.open(prefix).read("x")
    os.unlink(path)
    with pytest.raises(errors.NotFoundError):
        fmt.open(prefix).read("x")


def fuzz(good, rng):
    bad = bytearray(good)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(bad)) if bad else 0
        kind = rng.randrange(5)
        if kind == 0 and bad:
            bad[place] = rng.randrange(256)
        elif kind == 1:
            del bad[place : place + rng.randint(1, 20)]
        elif kind == 2:
            bad[place:place] = bytes(rng.choice([0, 255, 128, 127]) for _ in range(rng.randint(1, 10)))
        elif kind == 3 and bad:
            other = rng.randrange(len(bad))
            bad[place : place + 8] = bad[other : other + 8]
        else:
            bad[place : place + 8] = rng.choice([2**63, 2**64 - 1, 2**31, 2**32 - 1]).to_bytes(8, "little")
    return bytes(bad)


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("name", FORMATS)
def test_mutated_files_raise_clear_errors(name, checked, tmp_path, monkeypatch):
    """Without checksums (`checked` false) the mutations reach the parsers behind them."""
    fmt = _ports.load("checkpoint", name)
    prefix = str(tmp_path / "ckpt")
    small = {k: v for k, v in samples().items() if k in ("scalar", "string", "empty", "typed/complex128", "quantized", "typed/bfloat16")}
    fmt.write(prefix, small.items())
    if not checked:
        if name == "tensorflow":
            monkeypatch.setattr("tf2compat_adapters.crc32c.value", lambda data: 0)
            monkeypatch.setattr("tf2compat_adapters.crc32c.extend", lambda crc, data: 0)
        else:
            monkeypatch.setattr("google_crc32c.value", lambda data: 0)
        fmt.write(prefix, small.items())
    rng = random.Random(7)
    path = prefix + (".index" if name == "tensorflow" else ".safetensors")
    with open(path, "rb") as file:
        good = file.read()
    rounds = int(os.environ.get("TF2COMPAT_FUZZ", "2000"))
    for _ in range(rounds):
        with open(path, "wb") as file:
            file.write(fuzz(good, rng))
        try:
            reader = fmt.open(prefix)
        except errors.OpError:
            continue
        for entry in reader.entries:
            try:
                reader.read(entry)
            except errors.OpError:
                continue


def test_a_failed_write_leaves_the_old_checkpoint(fmt, tmp_path, monkeypatch):
    prefix = str(tmp_path / "ckpt")
    old = TensorData.of_array(np.arange(5))
    fmt.write(prefix, [("x", old)])
    before = sorted(os.listdir(tmp_path))
    for call in ("fsync", "replace"):

        def fail(*args, **kwargs):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(errors.ResourceExhaustedError, match="No space left"):
                fmt.write(prefix, [("x", TensorData.of_array(np.arange(9)))])
        assert sorted(os.listdir(tmp_path)) == before
        assert same(fmt.open(prefix).read("x"), old)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_no_permission(fmt, tmp_path):
    os.chmod(tmp_path, 0o500)
    with pytest.raises(errors.PermissionDeniedError):
        fmt.write(str(tmp_path / "ckpt"), [("x", TensorData.of_array(np.arange(5)))])


def test_leftovers_of_killed_processes_go(tmp_path):
    import socket
    import subprocess
    import sys

    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True).stdout.strip()
    host = __import__("tf2compat._files", fromlist=["_HOST"])._HOST
    assert host or socket.gethostname()
    mine = tmp_path / f"a.{host}.{os.getpid()}.0123abcd.tf2compat-tmp"
    stale = tmp_path / f"a.{host}.{dead}.0123abcd.tf2compat-tmp"
    for path in (mine, stale):
        path.write_bytes(b"x")
    remove_leftovers(str(tmp_path))
    assert mine.exists() and not stale.exists()


def test_swapped_shards(tmp_path):
    shutil.copytree(os.path.join(FILES, "sharded"), tmp_path / "s")
    first, second = (str(tmp_path / "s" / f"ckpt.data-0000{i}-of-00003") for i in (0, 1))
    os.rename(first, first + "x")
    os.rename(second, first)
    os.rename(first + "x", second)
    reader = _ports.load("checkpoint", "tensorflow").open(str(tmp_path / "s" / "ckpt"))
    with pytest.raises(errors.DataLossError, match="many/"):
        for name in reader.entries:
            reader.read(name)
