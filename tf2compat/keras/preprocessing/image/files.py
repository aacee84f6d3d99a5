"""Batches of images from files, named by folders or by a data frame."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from ..._base.saying import say
from ...utils.images import img_to_array, load_img
from .iterators import Iterator

_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}
#: class modes that have no classes
_PLAIN = ("input", "multi_output", "raw", None)


class _FromFiles(Iterator):
    """What the iterators over files share. Subclasses know `filepaths`, `labels` and `sample_weight`."""

    class_mode: str | None
    dtype: Any
    classes: Any
    class_indices: dict[Any, int]

    def _prepare(
        self,
        image_data_generator: Any,
        target_size: Any,
        color_mode: str,
        data_format: str,
        save: tuple[Any, str, str],
        subset: str | None,
        interpolation: str,
        keep_aspect_ratio: bool,
    ) -> None:
        if color_mode not in _CHANNELS:
            raise ValueError("Invalid color mode:", color_mode, '; expected "rgb", "rgba", or "grayscale".')
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        self.keep_aspect_ratio = keep_aspect_ratio
        self.color_mode = color_mode
        self.data_format = data_format
        n = _CHANNELS[color_mode]
        self.image_shape = (*self.target_size, n) if data_format == "channels_last" else (n, *self.target_size)
        self.save_to_dir, self.save_prefix, self.save_format = save
        self.interpolation = interpolation
        self.subset = subset
        self.split: tuple[float, float] | None = None
        if subset is not None:
            share = image_data_generator._validation_split
            if subset not in ("validation", "training"):
                raise ValueError(f'Invalid subset name: {subset};expected "training" or "validation"')
            self.split = (0, share) if subset == "validation" else (share, 1)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        batch = np.zeros((len(index_array), *self.image_shape), dtype=self.dtype)
        paths = self.filepaths
        make = self.image_data_generator
        for i, j in enumerate(index_array):
            image = load_img(
                paths[j], color_mode=self.color_mode, target_size=self.target_size, interpolation=self.interpolation,
                keep_aspect_ratio=self.keep_aspect_ratio,
            )  # fmt: skip
            x = img_to_array(image, data_format=self.data_format)
            image.close()
            if make:
                x = make.standardize(make.apply_transform(x, make.get_random_transform(x.shape)))
            batch[i] = x
        if self.save_to_dir:
            self._save(batch, index_array, 1e7)
        labels = self._labels_of(batch, index_array)
        if self.class_mode is None:
            return batch
        return (batch, labels) if self.sample_weight is None else (batch, labels, self.sample_weight[index_array])

    def _labels_of(self, batch: Any, index_array: Any) -> Any:
        mode = self.class_mode
        if mode == "input":
            return batch.copy()
        if mode in ("binary", "sparse"):
            return np.array([self.classes[j] for j in index_array]).astype(self.dtype)
        if mode == "categorical":
            labels = np.zeros((len(batch), len(self.class_indices)), dtype=self.dtype)
            for i, j in enumerate(index_array):
                labels[i, self.classes[j]] = 1.0
            return labels
        if mode == "multi_output":
            return [output[index_array] for output in self.labels]
        return self.labels[index_array] if mode == "raw" else None

    @property
    def filepaths(self) -> list[str]:
        """The paths of all images."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """The labels of all images."""
        return self.classes

    @property
    def sample_weight(self) -> Any:
        """The weights of all images, if there are any."""
        return None


class DirectoryIterator(_FromFiles):
    """Batches of the images in a folder of folders, one for each class (`tf.keras.preprocessing.image.DirectoryIterator`).

    ValueError for an unknown class mode, colour mode or subset.
    """

    allowed_class_modes = {"categorical", "binary", "sparse", "input", None}

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        from ... import backend

        self._prepare(
            image_data_generator, target_size, color_mode, data_format or backend.image_data_format(),
            (save_to_dir, save_prefix, save_format), subset, interpolation, keep_aspect_ratio,
        )  # fmt: skip
        if class_mode not in self.allowed_class_modes:
            raise ValueError(f"Invalid class_mode: {class_mode}; expected one of: {self.allowed_class_modes}")
        self.directory = directory
        self.class_mode = class_mode
        self.dtype = dtype or backend.floatx()
        names = list(classes) if classes else [d for d in sorted(os.listdir(directory)) if os.path.isdir(os.path.join(directory, d))]
        self.num_classes = len(names)
        self.class_indices = {name: i for i, name in enumerate(names)}
        self.filenames: list[str] = []
        found: list[int] = []
        for number, name in enumerate(names):
            files = list(_images_below(os.path.join(directory, name), self.white_list_formats, follow_links))
            if self.split:
                files = files[int(self.split[0] * len(files)) : int(self.split[1] * len(files))]
            self.filenames += [os.path.join(name, file) for file in files]
            found += [number] * len(files)
        self.samples = len(self.filenames)
        self.classes = np.array(found, dtype="int32")
        say(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        self._filepaths = [os.path.join(directory, file) for file in self.filenames]
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)


def _images_below(folder: str, formats: tuple[str, ...], follow_links: bool) -> Any:
    """The image files in a folder and those below, in order, relative to the folder."""
    for root, _, files in sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0]):
        for name in sorted(files):
            if name.lower().endswith(".tiff"):
                warnings.warn('Using ".tiff" files with multiple bands will cause distortion. Please verify your output.', stacklevel=4)
            if name.lower().endswith(formats):
                yield os.path.relpath(os.path.join(root, name), folder)


class DataFrameIterator(_FromFiles):
    """Batches of the images that a pandas frame names (what `ImageDataGenerator.flow_from_dataframe` returns).

    TypeError and ValueError for columns that do not hold what the class mode needs.
    """

    allowed_class_modes = {"binary", "categorical", "input", "multi_output", "raw", "sparse", None}

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str = "channels_last",
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ) -> None:
        self._prepare(
            image_data_generator, target_size, color_mode, data_format, (save_to_dir, save_prefix, save_format), subset, interpolation,
            keep_aspect_ratio,
        )  # fmt: skip
        df = dataframe.copy()
        self.directory = directory or ""
        self.class_mode = class_mode
        self.dtype = dtype
        self._check(df, x_col, y_col, weight_col, classes)
        if validate_filenames:
            df = self._existing(df, x_col)
        with_classes = class_mode not in _PLAIN
        if with_classes:
            df, classes = _with_known_classes(df, y_col, classes)
            self.class_indices = {name: i for i, name in enumerate(classes)}
        if self.split:
            df = df.iloc[int(self.split[0] * len(df)) : int(self.split[1] * len(df)), :]
        if with_classes:
            index = self.class_indices
            self.classes = [[index[v] for v in label] if isinstance(label, (list, tuple)) else index[label] for label in df[y_col]]
        self.filenames = df[x_col].tolist()
        self._weights = df[weight_col].values if weight_col else None
        if class_mode == "multi_output":
            self._targets: Any = [np.array(df[column].tolist()) for column in y_col]
        if class_mode == "raw":
            self._targets = df[y_col].values
        self.samples = len(self.filenames)
        tail = f" belonging to {len(classes)} classes." if with_classes else "."
        say(f"Found {self.samples} {'validated' if validate_filenames else 'non-validated'} image filenames{tail}")
        self._filepaths = [os.path.join(self.directory, file) for file in self.filenames]
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    def _check(self, df: Any, x_col: str, y_col: Any, weight_col: str | None, classes: Any) -> None:
        mode = self.class_mode

        def all_are(column: Any, kinds: Any) -> bool:
            return all(isinstance(v, kinds) for v in df[column])

        if mode not in self.allowed_class_modes:
            raise ValueError(f"Invalid class_mode: {mode}; expected one of: {self.allowed_class_modes}")
        if mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f'If class_mode="{mode}", y_col must be a list. Received {type(y_col).__name__}.')
        if not all_are(x_col, str):
            raise TypeError(f"All values in column x_col={x_col} must be strings.")
        if mode in ("binary", "sparse") and not all_are(y_col, str):
            raise TypeError(f'If class_mode="{mode}", y_col="{y_col}" column values must be strings.')
        if mode == "binary":
            if classes and len(set(classes)) != 2:
                raise ValueError(f'If class_mode="binary" there must be 2 classes. {len(set(classes))} class/es were given.')
            if not classes and df[y_col].nunique() != 2:
                raise ValueError(f'If class_mode="binary" there must be 2 classes. Found {df[y_col].nunique()} classes.')
        if mode == "categorical" and not all_are(y_col, (str, list, tuple)):
            raise TypeError(f'If class_mode="{mode}", y_col="{y_col}" column values must be type string, list or tuple.')
        if classes and mode in _PLAIN:
            warnings.warn(f'`classes` will be ignored given the class_mode="{mode}"', stacklevel=3)
        if weight_col and not issubclass(df[weight_col].dtype.type, np.number):
            raise TypeError(f"Column weight_col={weight_col} must be numeric.")

    def _existing(self, df: Any, x_col: str) -> Any:
        """The rows whose file is an image that exists; the others are counted in a warning."""
        paths = [os.path.join(self.directory, name) for name in df[x_col]]
        good = np.array([p.lower().endswith(self.white_list_formats) and os.path.isfile(p) for p in paths], dtype=bool)
        if not good.all():
            warnings.warn(
                f'Found {int((~good).sum())} invalid image filename(s) in x_col="{x_col}". These filename(s) will be ignored.', stacklevel=3
            )
        return df[good]

    @property
    def labels(self) -> Any:
        return self._targets if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self) -> Any:
        return self._weights


def _with_known_classes(df: Any, y_col: str, classes: Any) -> tuple[Any, list[Any]]:
    """The rows that have one of the classes, which are all that occur unless some are given; and the classes."""
    df = df.copy()
    if classes:
        known = list(dict.fromkeys(classes))

        def kept(label: Any) -> Any:
            if isinstance(label, (list, tuple)):
                return [v for v in label if v in known] or None
            if isinstance(label, str):
                return label if label in known else None
            raise TypeError(f"Expect string, list or tuple but found {type(label)} in {y_col} column ")

        df[y_col] = df[y_col].apply(kept)
    else:
        seen: set[Any] = set()
        for label in df[y_col]:
            seen.update(label if isinstance(label, (list, tuple)) else [label])
        known = sorted(seen)
    return df.dropna(subset=[y_col]), known
