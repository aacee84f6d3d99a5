"""`tf.keras.preprocessing.image` against what Keras gave for the same seeds, and in `fit`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import tf2compat as tf

sys.path.insert(0, str(Path(__file__).resolve().parent))
from image_cases import RECORDED, answers  # noqa: E402


def test_batches_of_the_same_seeds_are_keras() -> None:
    pytest.importorskip("scipy")
    pytest.importorskip("PIL")
    want = json.loads(RECORDED.read_text())
    found = json.loads(json.dumps(answers(tf)))
    assert found.keys() == want.keys()
    for name, expected in want.items():
        if name == "errs":  # a set is printed in no order
            plain = [[e[0], re.sub(r"\{.*\}", "{}", e[1])] if isinstance(e, list) else e for e in expected]
            assert [[e[0], re.sub(r"\{.*\}", "{}", e[1])] if isinstance(e, list) else e for e in found[name]] == plain
        elif name in ("names", "saved"):
            assert found[name] == expected, name
        else:
            assert found[name][:2] == expected[:2], name
            got = [found[name][2], *found[name][3]]
            np.testing.assert_allclose(got, [expected[2], *expected[3]], rtol=1e-5, atol=1e-4, err_msg=name)


def images(n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    return np.random.RandomState(0).uniform(0, 255, (n, 8, 8, 3)).astype("float32"), np.arange(n) % 2


@pytest.mark.parametrize("workers", [1, 2])
def test_flow_trains_a_model(workers: int) -> None:
    x, y = images()
    flow = tf.keras.preprocessing.image.ImageDataGenerator(horizontal_flip=True, rescale=1 / 255, validation_split=0.2)
    model = tf.keras.Sequential([tf.keras.layers.Flatten(input_shape=(8, 8, 3)), tf.keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        flow.flow(x, y, batch_size=4, subset="training"),
        validation_data=flow.flow(x, y, batch_size=4, subset="validation"),
        epochs=2,
        verbose=0,
        workers=workers,
    )
    assert len(history.history["val_loss"]) == 2
    endless = flow.flow(x, y, batch_size=4)
    expected = 1 if workers == 1 else 2  # it is a Sequence, which ends; several workers begin again
    assert len(model.fit(endless, steps_per_epoch=7, epochs=2, verbose=0, workers=workers).history["loss"]) == expected
    assert model.predict(flow.flow(x, batch_size=6, shuffle=False), verbose=0).shape == (20, 1)
    assert np.isfinite(model.evaluate(flow.flow(x, y, batch_size=6), verbose=0)).all()


def test_flow_with_two_inputs_and_weights() -> None:
    x, y = images()
    a, b = tf.keras.Input((8, 8, 3)), tf.keras.Input((2,))
    joined = tf.keras.layers.concatenate([tf.keras.layers.GlobalAveragePooling2D()(a), b])
    model = tf.keras.Model([a, b], tf.keras.layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    flow = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    more = np.ones((20, 2), "float32")
    inputs, _ = next(flow.flow((x, more), y, batch_size=4))
    assert [i.shape for i in inputs] == [(4, 8, 8, 3), (4, 2)]

    def batches():  # type: ignore[no-untyped-def]
        for pair, label in flow.flow((x, more), y, batch_size=4):
            yield tuple(pair), label

    model.fit(batches(), steps_per_epoch=3, verbose=0)


def test_a_dataset_of_a_flow() -> None:
    x, y = images(12)
    flow = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    data = tf.data.Dataset.from_generator(
        lambda: flow.flow(x, y, batch_size=4), output_types=(tf.float32, tf.int64), output_shapes=([None, 8, 8, 3], [None])
    )
    batch, labels = next(iter(data))
    assert batch.shape == (4, 8, 8, 3)
    assert labels.shape == (4,)


def test_folders_of_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("x", "y", ".hidden"):
        (tmp_path / name).mkdir()
        for i in range(3):
            tf.keras.utils.save_img(str(tmp_path / name / f"{i}.png"), np.full((6, 8, 3), i * 20, "uint8"), scale=False)
    load = tf.keras.utils.image_dataset_from_directory
    both = load(tmp_path, image_size=(4, 4), subset="both", validation_split=0.5, seed=3, crop_to_aspect_ratio=True)
    assert isinstance(both, list) and [next(iter(d))[0].shape for d in both] == [(3, 4, 4, 3)] * 2
    assert capsys.readouterr().out.splitlines() == [
        "Found 6 files belonging to 2 classes.", "Using 3 files for training.", "Using 3 files for validation."
    ]  # fmt: skip
    assert load(tmp_path / "x", image_size=(4, 4), labels=[2, 1, 2]).class_names == [1, 2]
    assert load(tmp_path / "x", image_size=(4, 4), labels=None).class_names == [""]
    wide = next(iter(load(tmp_path, image_size=(4, 4), shuffle=False, smart_resize=True)))[0]  # an old name of crop_to_aspect_ratio
    assert np.array_equal(wide, next(iter(load(tmp_path, image_size=(4, 4), shuffle=False, crop_to_aspect_ratio=True)))[0])


def test_folders_of_sounds(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(2):
            sound = tf.audio.encode_wav(np.full((5 + i, 1), 0.25, "float32"), 8000)
            (tmp_path / name / f"{i}.wav").write_bytes(sound.numpy())
    load = tf.keras.utils.audio_dataset_from_directory
    sounds, labels = next(iter(load(tmp_path, shuffle=False)))
    assert sounds.shape == (4, 6, 1) and labels.numpy().tolist() == [0, 0, 1, 1]
    assert sounds[0].numpy().ravel().tolist() == [0.25] * 5 + [0.0]
    assert next(iter(load(tmp_path, shuffle=False, output_sequence_length=3)))[0].shape == (4, 3, 1)
    assert next(iter(load(tmp_path, shuffle=False, ragged=True)))[0].row_lengths().numpy().tolist() == [5, 6, 5, 6]
    with pytest.raises(ValueError, match="Cannot set both"):
        load(tmp_path, ragged=True, output_sequence_length=3)
