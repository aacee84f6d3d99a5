"""`python -m tf2compat checkpoint` and `convert`."""

import os

import numpy as np
import pytest
from tf2compat_adapters.commands.files import open_tensors

from tf2compat import train
from tf2compat.__main__ import main

FILES = os.path.join(os.path.dirname(__file__), os.pardir, "conformance", "files")


@pytest.mark.parametrize(
    ("path", "kind", "line"),
    [
        ("tree", "tensorflow", "tree/words/.ATTRIBUTES/VARIABLE_VALUE"),
        ("tree/ckpt-1", "tensorflow", "typed/complex128/.ATTRIBUTES/VARIABLE_VALUE"),
        ("models/sequential.h5", "hdf5", "model_weights/first/first/kernel:0"),
        ("models/sequential.keras", "keras", "layers/dense/vars/0"),
        ("models/sequential_saved_model", "tensorflow", "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"),
    ],
)
def test_show(path, kind, line, capsys):
    assert main(["checkpoint", "show", os.path.join(FILES, path)]) == 0
    out = capsys.readouterr().out
    assert line in out and out.rstrip().endswith(f"({kind})")
    assert main(["checkpoint", "verify", os.path.join(FILES, path)]) == 0


def test_problems(tmp_path, capsys):
    assert main(["checkpoint", "show", str(tmp_path / "no")]) == 1
    assert "error:" in capsys.readouterr().err
    (tmp_path / "x.keras").write_bytes(b"PK nonsense")
    assert main(["checkpoint", "show", str(tmp_path / "x.keras")]) == 1
    (tmp_path / "x.h5").write_bytes(b"nonsense")
    assert main(["checkpoint", "show", str(tmp_path / "x.h5")]) == 1
    assert main(["convert", os.path.join(FILES, "tree"), str(tmp_path / "what.zip")]) == 1
    assert "cannot tell the format" in capsys.readouterr().err


def test_convert_there_and_back(tmp_path):
    source = open_tensors(os.path.join(FILES, "tree"))
    steps = [os.path.join(FILES, "tree"), str(tmp_path / "a.safetensors"), str(tmp_path / "b.index")]
    for before, after in zip(steps, steps[1:]):
        assert main(["convert", before, after]) == 0
    last = open_tensors(steps[-1])
    assert last.entries == source.entries
    for (name, a), (_, b) in zip(source, last):
        assert a.data.tolist() == b.data.tolist(), name
    assert train.list_variables(str(tmp_path / "b")) == train.list_variables(os.path.join(FILES, "tree"))


def test_convert_keras_files(tmp_path):
    for name in ("sequential.h5", "sequential.keras"):
        source = open_tensors(os.path.join(FILES, "models", name))
        assert main(["convert", os.path.join(FILES, "models", name), str(tmp_path / "x.safetensors")]) == 0
        assert main(["convert", str(tmp_path / "x.safetensors"), str(tmp_path / "x.h5")]) == 0
        back = open_tensors(str(tmp_path / "x.h5"))
        assert {n: np.asarray(d.numpy()).tolist() for n, d in source} == {n: np.asarray(d.numpy()).tolist() for n, d in back}


def test_saved_model_command(tmp_path, capsys):
    import tf2compat as tf

    module = tf.Module()
    module.w = tf.Variable([2.0, 3.0])
    module.f = tf.function(lambda x: x * module.w, input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    tf.saved_model.save(module, str(tmp_path / "m"))
    assert main(["saved_model", "show", "--dir", str(tmp_path / "m"), "--all"]) == 0
    out = capsys.readouterr().out
    assert "signature_def['serving_default']" in out and "inputs['x'] tensor_info:" in out and "shape: (-1, 2)" in out and "\n  Function Name: 'f'\n" in out
    assert main(["saved_model", "run", str(tmp_path / "m"), "--inputs", "x=[[1, 10]]", "--outdir", str(tmp_path / "out")]) == 0
    assert "[[ 2. 30.]]" in capsys.readouterr().out
    assert np.load(tmp_path / "out" / "output_0.npy").tolist() == [[2, 30]]
    assert main(["saved_model", "run", str(tmp_path / "m"), "--inputs", "y=1"]) == 1
    assert main(["saved_model", "show", os.path.join(FILES, "models", "sequential_saved_model")]) == 0
    assert "Function Name: '__call__'" in capsys.readouterr().out
    assert main(["saved_model", "show", str(tmp_path / "nowhere")]) == 1


def test_saved_model_show_as_saved_model_cli(capsys):
    path = os.path.join(FILES, "graphs", "flow")
    assert main(["saved_model", "show", "--dir", path]) == 0
    assert capsys.readouterr().out == "The given SavedModel contains the following tag-sets:\n'serve'\n"
    assert main(["saved_model", "show", "--dir", path, "--tag_set", "serve"]) == 0
    assert 'SignatureDef key: "serving_default"' in capsys.readouterr().out
    assert main(["saved_model", "show", "--dir", path, "--tag_set", "serve", "--signature_def", "serving_default"]) == 0
    assert "  inputs['x'] tensor_info:\n      dtype: DT_FLOAT\n      shape: (-1, 3)\n" in capsys.readouterr().out
    assert main(["saved_model", "show", "--dir", path, "--tag_set", "train"]) == 1
    capsys.readouterr()
    assert main(["saved_model", "show", "--dir", path, "--all"]) == 0
    with open(os.path.join(os.path.dirname(__file__), "saved_model_cli_all.txt")) as file:
        assert capsys.readouterr().out.startswith(file.read())


def test_convert_models(tmp_path):
    import tf2compat as tf

    data = np.load(os.path.join(FILES, "models", "sequential.npz"))
    source = os.path.join(FILES, "models", "sequential_saved_model")
    for target in ("a.keras", "b.h5", "c.keras"):
        assert main(["convert", source, str(tmp_path / target)]) == 0
        source = str(tmp_path / target)
    model = tf.keras.models.load_model(source)
    np.testing.assert_allclose(model.predict(data["x"], verbose=0), data["predictions"], rtol=1e-4, atol=1e-5)
    assert main(["convert", os.path.join(FILES, "tree"), str(tmp_path / "d.keras")]) == 1
