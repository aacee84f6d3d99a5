"""`tf.keras.applications`: architectures, outputs, weights and preprocessing as Keras has them."""

from __future__ import annotations

import functools
import gc
import http.server
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tf2compat as tf
from tf2compat.keras import initializers
from tf2compat.keras.applications import _building, imagenet_utils, mobilenet_v3

sys.path.insert(0, str(Path(__file__).resolve().parent))
from applications import record  # noqa: E402

RECORDED = dict(line.split("\t", 1) for line in (record.HERE / "architectures.tsv").read_text().splitlines())
#: built in every run; TF2COMPAT_ALL_ARCHITECTURES=1 builds the others, too
FEW_LAYERS = 300


def chosen() -> list[str]:
    if os.environ.get("TF2COMPAT_ALL_ARCHITECTURES"):
        return list(RECORDED)
    return [case for case, rest in RECORDED.items() if int(rest.split("\t")[0]) <= FEW_LAYERS and int(rest.split("\t")[1]) < 4e7]


@pytest.fixture(autouse=True)
def one_network_at_a_time() -> Iterator[None]:
    """Layers and their connections are cycles: collected at once, so that networks do not pile up."""
    tf.keras.backend.clear_session()
    yield
    gc.collect()


@pytest.fixture
def no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Initial values are zeros: what is tested is structure."""
    for name in ("_uniform", "_normal", "_truncated"):
        def zeros(sizes: Any, a: Any, b: Any, dtype: Any, *rest: Any) -> Any:
            return tf.constant(torch.zeros(sizes, dtype=dtype.torch))

        monkeypatch.setattr(initializers, name, zeros)


@pytest.mark.parametrize("case", chosen())
def test_layers_weights_shapes_and_configs_are_keras(case: str, no_values: None) -> None:
    assert record.summary_line(case, record.build(tf, case)) == f"{case}\t{RECORDED[case]}"


def test_every_public_network_was_recorded() -> None:
    names = {line.split()[0] for line in RECORDED}
    assert set(tf.keras.applications._HOME_OF) <= names


OUTPUTS = json.loads((record.HERE / "outputs.json").read_text())


@pytest.mark.parametrize("case", list(OUTPUTS))
def test_outputs_with_the_same_weights_are_keras(case: str, no_values: None) -> None:
    np.testing.assert_allclose(record.output(tf, case), OUTPUTS[case], rtol=2e-3, atol=1e-4)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder, and the address of a server of its files; Keras' cache is empty."""
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_published_weights_are_downloaded_checked_and_loaded(store: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("h5py")
    import hashlib

    folder, address = store
    made = tf.keras.applications.MobileNetV3Small(weights=None, minimalistic=True)
    (folder / "mobilenet_v3").mkdir()
    file = folder / "mobilenet_v3" / "weights_mobilenet_v3_small_minimalistic_224_1.0_float.h5"
    made.save_weights(str(file), save_format="h5")
    digest = hashlib.md5(file.read_bytes()).hexdigest()
    monkeypatch.setattr(mobilenet_v3, "STORE", address)
    monkeypatch.setitem(mobilenet_v3._HASHES, "small_minimalistic_224_1.0_float", (digest, digest))
    tf.keras.backend.clear_session()
    loaded = tf.keras.applications.MobileNetV3Small(minimalistic=True)
    for a, b in zip(made.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    file.unlink()  # the second time it comes from the cache
    tf.keras.applications.MobileNetV3Small(weights="imagenet", minimalistic=True)
    monkeypatch.setitem(mobilenet_v3._HASHES, "small_minimalistic_224_1.0_float", ("0" * 32, digest))
    with pytest.raises(Exception, match="URL fetch failure"):  # the cached file is another, and there is none to download
        tf.keras.applications.MobileNetV3Small(minimalistic=True)


def test_weights_from_a_path(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    made = tf.keras.applications.MobileNet(weights=None, alpha=0.25, classes=3, input_shape=(32, 32, 3))
    path = str(tmp_path / "own.h5")
    made.save_weights(path)
    loaded = tf.keras.applications.MobileNet(weights=path, alpha=0.25, classes=3, input_shape=(32, 32, 3))
    np.testing.assert_array_equal(made.get_weights()[-2], loaded.get_weights()[-2])
    features = tf.keras.applications.MobileNet(weights=None, alpha=0.25, include_top=False, input_shape=(32, 32, 3))
    features.load_weights(path, by_name=True)
    np.testing.assert_array_equal(features.get_layer("conv_pw_13").get_weights()[0], made.get_layer("conv_pw_13").get_weights()[0])


def test_decode_predictions(store: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    folder, address = store
    file = folder / "imagenet_class_index.json"
    file.write_text(json.dumps({str(i): [f"n{i:08}", f"thing_{i}"] for i in range(1000)}))
    monkeypatch.setattr(imagenet_utils, "_INDEX_URL", f"{address}imagenet_class_index.json")
    monkeypatch.setattr(imagenet_utils, "_INDEX_HASH", hashlib.md5(file.read_bytes()).hexdigest())
    monkeypatch.setattr(imagenet_utils, "_index", {})
    scores = np.zeros((2, 1000), "float32")
    scores[0, [5, 7]], scores[1, 999] = [0.7, 0.2], 1.0
    found = tf.keras.applications.resnet50.decode_predictions(scores, top=2)
    assert found[0] == [("n00000005", "thing_5", np.float32(0.7)), ("n00000007", "thing_7", np.float32(0.2))]
    assert found[1][0] == ("n00000999", "thing_999", 1.0)
    with pytest.raises(ValueError, match="expects a batch of predictions"):
        tf.keras.applications.vgg16.decode_predictions(scores[:, :10])


@pytest.mark.parametrize(
    ("module", "first"),
    [("vgg16", [-53.939, 33.221, 126.32]), ("resnet_v2", [0.9607843, 0.17647058, -0.60784316]), ("densenet", [2.163285, 0.590336, -0.932985]),
     ("efficientnet", [250.0, 150.0, 50.0])],
)  # fmt: skip
def test_preprocess_input(module: str, first: list[float]) -> None:
    preprocess = getattr(tf.keras.applications, module).preprocess_input
    pixels = np.array([[[[250, 150, 50]]]])
    np.testing.assert_allclose(preprocess(pixels.astype("float32"))[0, 0, 0], first, rtol=1e-3)
    np.testing.assert_allclose(preprocess(tf.constant(pixels, tf.float32))[0, 0, 0], first, rtol=1e-3)
    flipped = np.moveaxis(pixels, -1, 1).astype("float32")
    np.testing.assert_allclose(preprocess(flipped.copy(), data_format="channels_first")[0, :, 0, 0], first, rtol=1e-3)
    np.testing.assert_allclose(preprocess(tf.constant(flipped), data_format="channels_first")[0, :, 0, 0], first, rtol=1e-3)
    symbolic = tf.keras.Input((4, 4, 3))
    assert preprocess(symbolic).shape == (None, 4, 4, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: a.VGG16(weights="nowhere.h5"), "either `None`"),
        (lambda a: a.VGG16(classes=10), "should be 1000"),
        (lambda a: a.VGG16(input_shape=(100, 100, 3)), "`input_shape` should be"),
        (lambda a: a.ResNet50(weights=None, input_shape=(8, 8, 3)), "at least 32x32"),
        (lambda a: a.ResNet50(weights=None, include_top=False, input_shape=(64, 64)), "tuple of three integers"),
        (lambda a: a.ResNet50(weights=None, nonsense=1), "Unknown argument"),
        (lambda a: a.ResNet50(weights=None, input_shape=(None, None, 3)), "static `input_shape`"),
        (lambda a: a.MobileNetV2(alpha=0.6), "alpha must be one of"),
        (lambda a: a.MobileNet(depth_multiplier=2), "depth multiplier must be 1"),
        (lambda a: a.ResNetRS50(weights="imagenet-i999"), "imagenet-i160"),
        (lambda a: a.EfficientNetB0(classifier_activation="relu"), "classifier_activation"),
    ],
)
def test_wrong_arguments(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(tf.keras.applications)


def test_an_input_tensor_of_ones_own() -> None:
    start = tf.keras.Input((40, 40, 3), name="pixels")
    scaled = tf.keras.layers.Rescaling(1 / 255.0)(start)
    model = tf.keras.applications.MobileNet(weights=None, alpha=0.25, include_top=False, input_tensor=scaled, input_shape=(40, 40, 3))
    assert [layer.name for layer in model.layers[:3]] == ["pixels", "rescaling", "conv1"]
    assert model(np.zeros((1, 40, 40, 3), "float32")).shape == (1, 1, 1, 256)


def test_transfer_learning() -> None:
    tf.keras.utils.set_random_seed(1)
    base = tf.keras.applications.MobileNetV2(weights=None, alpha=0.35, include_top=False, input_shape=(32, 32, 3))
    base.trainable = False
    inputs = tf.keras.Input((32, 32, 3))
    x = tf.keras.applications.mobilenet_v2.preprocess_input(inputs)
    x = tf.keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(tf.keras.layers.Dropout(0.2)(x)))
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.Adam(1e-2), loss)
    assert len(model.trainable_variables) == 2
    pictures = np.random.RandomState(0).uniform(0, 255, (16, 32, 32, 3)).astype("float32")
    labels = np.arange(16) % 2
    before = [w.copy() for w in base.get_weights()]
    model.fit(pictures, labels, batch_size=8, epochs=2, verbose=0)
    assert all((a == b).all() for a, b in zip(before, base.get_weights(), strict=True))
    base.trainable = True
    for layer in base.layers[:120]:
        layer.trainable = False
    model.compile(tf.keras.optimizers.RMSprop(1e-4), loss)
    trained = len(model.trainable_variables)
    assert 2 < trained < 80
    model.fit(pictures, labels, batch_size=8, epochs=1, verbose=0)
    same = [bool((a == b).all()) for a, b in zip(before, base.get_weights(), strict=True)]
    assert all(same[:100])
    assert not all(same)
    features = tf.keras.Model(base.input, [base.get_layer("block_3_expand_relu").output, base.get_layer("out_relu").output])
    shallow, deep = features(pictures[:2])
    assert shallow.shape == (2, 8, 8, 48)
    assert deep.shape == (2, 1, 1, 1280)


def test_only_tf_keras_layers_may_be_the_layers() -> None:
    model = tf.keras.applications.MobileNet(weights=None, alpha=0.25, include_top=False, input_shape=(32, 32, 3), layers=tf.keras.layers)
    assert _building.size_of(model.output) == (1, 1)
    with pytest.raises(ValueError, match="may only be"):
        tf.keras.applications.MobileNet(weights=None, layers=np)
