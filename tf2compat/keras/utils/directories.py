"""Datasets of files in folders, a folder for each class."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

import tf2compat as tf

from .._base.saying import say

_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")


def _index(
    directory: Any, labels: Any, formats: tuple[str, ...], class_names: Any, shuffle: bool, seed: int | None, follow_links: bool
) -> tuple[list[str], list[Any] | None, list[str]]:
    """The files, their labels and the classes, in the order of names (shuffled where asked for)."""
    directory = os.fspath(directory)
    if labels == "inferred":
        if not os.path.isdir(directory):
            raise tf.errors.NotFoundError(None, None, f"Could not find directory {directory}")
        found = sorted(d for d in os.listdir(directory) if not d.startswith(".") and os.path.isdir(os.path.join(directory, d)))
        if not class_names:
            class_names = found
        elif set(class_names) != set(found):
            raise ValueError(
                f"The `class_names` passed did not match the names of the subdirectories of the target directory. Expected: {found}, but "
                f"received: {class_names}"
            )
        roots = [(os.path.join(directory, c), list(class_names).index(c)) for c in found]
    else:
        class_names = [""]
        roots = [(directory, 0)]
    paths: list[str] = []
    found_labels: list[Any] = []
    for root, label in roots:
        for folder, inner, files in sorted(os.walk(root, followlinks=follow_links)):
            inner.sort()
            for name in sorted(files):
                if name.lower().endswith(formats):
                    paths.append(os.path.join(folder, name))
                    found_labels.append(label)
    given: list[Any] | None = found_labels
    if labels is None:
        given = None
    elif labels != "inferred":
        if len(labels) != len(paths):
            raise ValueError(
                f"Expected the lengths of `labels` to match the number of files in the target directory. len(labels) is {len(labels)} "
                f"while we found {len(paths)} files in directory {directory}."
            )
        given = list(labels)
        class_names = sorted(set(given))
    say(f"Found {len(paths)} files belonging to {len(class_names)} classes.")
    if shuffle:
        order = np.arange(len(paths))
        np.random.RandomState(seed).shuffle(order)
        paths = [paths[i] for i in order]
        given = None if given is None else [given[i] for i in order]
    return paths, given, list(class_names)


def _contents(path: bytes) -> bytes:
    with open(path, "rb") as f:
        return f.read()


def _check(validation_split: Any, subset: Any, shuffle: bool, seed: Any, label_mode: Any, labels: Any) -> None:
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1, received: {validation_split}")
    if (validation_split or subset) and not (validation_split and subset):
        raise ValueError("If `subset` is set, `validation_split` must be set, and inversely.")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f'`subset` must be either "training", "validation" or "both", received: {subset}')
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "If using `validation_split` and shuffling the data, you must provide a `seed` argument, to make sure that there is no overlap "
            "between the training and validation subset."
        )
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(f'`label_mode` argument must be one of "int", "categorical", "binary", or None. Received: label_mode={label_mode}')
    if labels not in ("inferred", None) and not isinstance(labels, (list, tuple)):
        raise ValueError(
            "`labels` argument should be a list/tuple of integer labels, of the same size as the number of image files in the target "
            "directory. If you wish to infer the labels from the subdirectory names in the target directory, pass `labels=\"inferred\"`. "
            f"If you wish to get a dataset that only contains images (no labels), pass `labels=None`. Received: labels={labels}"
        )


def _label_dataset(labels: list[Any], mode: str, classes: int) -> Any:
    if mode == "binary":
        return tf.data.Dataset.from_tensor_slices(np.asarray(labels, "float32")[:, None])
    if mode == "categorical":
        return tf.data.Dataset.from_tensor_slices(np.eye(classes, dtype="float32")[np.asarray(labels)])
    return tf.data.Dataset.from_tensor_slices(np.asarray(labels, "int32"))


def _datasets(
    directory: Any, labels: Any, label_mode: Any, class_names: Any, formats: tuple[str, ...], read: Any, batch_size: int | None,
    shuffle: bool, seed: Any, validation_split: Any, subset: Any, follow_links: bool, padded: bool = False,
) -> Any:  # fmt: skip
    _check(validation_split, subset, shuffle, seed, label_mode, labels)
    if class_names and labels not in ("inferred", None):
        raise ValueError(f'You can only pass `class_names` if `labels="inferred"`. Received: labels={labels}, and class_names={class_names}')
    if labels is None or label_mode is None:
        labels, label_mode = None, None
    if seed is None:
        seed = np.random.randint(1_000_000)  # of NumPy's generator, as Keras does
    paths, found, classes = _index(directory, labels, formats, class_names, shuffle, seed, follow_links)
    if label_mode == "binary" and len(classes) != 2:
        raise ValueError(
            'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: class_names={}'.format(classes)
        )
    if not paths:
        what = "images" if ".png" in formats else "audio files" if ".wav" in formats else "text files"
        allowed = "Allowed format: .txt" if formats == (".txt",) else f"Allowed format{'(s)' if '.wav' in formats else 's'}: {formats}"
        raise ValueError(f"No {what} found in directory {directory}. {allowed}")

    def made(a: int, b: int, shuffle: bool = shuffle) -> Any:
        out = tf.data.Dataset.from_tensor_slices(paths[a:b]).map(read, num_parallel_calls=tf.data.AUTOTUNE)
        if found is not None and label_mode is not None:
            out = tf.data.Dataset.zip((out, _label_dataset(found[a:b], label_mode, len(classes))))
        if shuffle:
            out = out.shuffle(buffer_size=(batch_size or 128) * 8, seed=seed)
        if batch_size is not None:
            out = out.padded_batch(batch_size) if padded else out.batch(batch_size)
        out = out.prefetch(tf.data.AUTOTUNE)
        out.class_names = classes
        out.file_paths = paths[a:b]
        return out

    if not validation_split:
        return made(0, len(paths))
    held = int(validation_split * len(paths))
    at = len(paths) - held
    for name, count in (("training", at), ("validation", held)):
        if subset in (name, "both"):
            say(f"Using {count} files for {name}.")
    if subset == "both":
        return [made(0, at), made(at, len(paths), shuffle=False)]
    return made(0, at) if subset == "training" else made(at, len(paths))


def image_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None, color_mode: str = "rgb",
    batch_size: int | None = 32, image_size: Any = (256, 256), shuffle: bool = True, seed: int | None = None,
    validation_split: float | None = None, subset: str | None = None, interpolation: str = "bilinear", follow_links: bool = False,
    crop_to_aspect_ratio: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """Batches of images (and labels) of a folder (`tf.keras.utils.image_dataset_from_directory`). ValueError for wrong options."""
    if "smart_resize" in kwargs:  # what crop_to_aspect_ratio was called at first
        crop_to_aspect_ratio = kwargs.pop("smart_resize")
    if kwargs:
        raise TypeError(f"Unknown keywords argument(s): {tuple(kwargs)}")
    channels = {"rgb": 3, "rgba": 4, "grayscale": 1}.get(color_mode)
    if channels is None:
        raise ValueError(f'`color_mode` must be one of {{"rgb", "rgba", "grayscale"}}. Received: color_mode={color_mode}')

    if str(interpolation).lower() not in _INTERPOLATIONS:
        raise NotImplementedError(f"Value not recognized for `interpolation`: {interpolation}. Supported values are: {list(_INTERPOLATIONS)}")

    def read(path: Any) -> Any:
        img = tf.image.decode_image(tf.io.read_file(path), channels=channels, expand_animations=False)
        img.set_shape((None, None, channels))
        if crop_to_aspect_ratio:
            from .images import smart_resize

            img = smart_resize(img, image_size, interpolation=interpolation)
        else:
            img = tf.image.resize(img, image_size, method=interpolation)
        img.set_shape((image_size[0], image_size[1], channels))
        return img

    return _datasets(directory, labels, label_mode, class_names, _IMAGES, read, batch_size, shuffle, seed, validation_split, subset, follow_links)


def text_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None, batch_size: int | None = 32,
    max_length: int | None = None, shuffle: bool = True, seed: int | None = None, validation_split: float | None = None,
    subset: str | None = None, follow_links: bool = False,
) -> Any:  # fmt: skip
    """Batches of texts (and labels) of the `.txt` files of a folder (`tf.keras.utils.text_dataset_from_directory`)."""

    def read(path: Any) -> Any:
        text = tf.numpy_function(_contents, [path], tf.string, stateful=False)
        text.set_shape(())
        return text if max_length is None else tf.strings.substr(text, 0, max_length)

    return _datasets(directory, labels, label_mode, class_names, (".txt",), read, batch_size, shuffle, seed, validation_split, subset, follow_links)


def audio_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None, batch_size: int | None = 32,
    sampling_rate: int | None = None, output_sequence_length: int | None = None, ragged: bool = False, shuffle: bool = True,
    seed: int | None = None, validation_split: float | None = None, subset: str | None = None, follow_links: bool = False,
) -> Any:  # fmt: skip
    """Batches of sounds [batch, samples, channels], float32, (and labels) of the `.wav` files of a folder
    (`tf.keras.utils.audio_dataset_from_directory`).

    Sounds are cut or filled to `output_sequence_length` samples; without it, batches are padded to their longest, or ragged. ValueError for
    wrong options; ImportError for `sampling_rate`, which needs tensorflow-io.
    """
    if ragged and output_sequence_length is not None:
        raise ValueError("Cannot set both `ragged` and `output_sequence_length`")
    if sampling_rate is not None:
        if not isinstance(sampling_rate, int):
            raise ValueError(f"`sampling_rate` should have an integer value. Received: sampling_rate={sampling_rate}")
        if sampling_rate <= 0:
            raise ValueError(f"`sampling_rate` should be higher than 0. Received: sampling_rate={sampling_rate}")
        raise ImportError("`sampling_rate` resamples with tensorflow-io, which needs TensorFlow itself: tf2compat does not support it")

    def read(path: Any) -> Any:
        samples = -1 if output_sequence_length is None else output_sequence_length
        sound = tf.audio.decode_wav(tf.io.read_file(path), desired_samples=samples).audio
        return tf.RaggedTensor.from_tensor(sound) if ragged else sound

    found = _datasets(
        directory, labels, label_mode, class_names, (".wav",), read, batch_size, shuffle, seed, validation_split, subset, follow_links,
        padded=output_sequence_length is None and not ragged,
    )  # fmt: skip
    return tuple(found) if subset == "both" else found
