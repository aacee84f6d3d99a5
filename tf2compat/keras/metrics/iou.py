"""Intersection over union of segmentations."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat._engine.op import ANY, VARIABLE, invalid, op
from tf2compat.math.counting import check_classes

from .base import Metric, _number, _weight


@op("KerasConfusionMatrixUpdate", stateful=True, total=VARIABLE, y_true=ANY, y_pred=ANY, weight=ANY)
def _add(total: Any, y_true: Any, y_pred: Any, weight: Any = None, ignore: Any = None) -> None:
    cm = total._own()
    n = cm.shape[0]
    t, p = y_true.reshape(-1).to(torch.int64), y_pred.reshape(-1).to(torch.int64)
    w = torch.ones_like(t, dtype=cm.dtype) if weight is None else weight.reshape(-1 if weight.ndim else ()).to(cm.dtype)
    if ignore is not None:
        w = torch.where(t == ignore, torch.zeros_like(w), w)
        p = torch.where(t == ignore, 0, p)
        t = torch.where(t == ignore, 0, t)
    if t.shape != p.shape:
        raise invalid(f"Values in y_true and y_pred are not equally many: {tuple(y_true.shape)} and {tuple(y_pred.shape)}")
    if w.shape != p.shape:
        raise ValueError(f"Shapes {tuple(p.shape)} and {tuple(w.shape)} are incompatible")
    check_classes(t, p, n)
    cm.view(-1).index_add_(0, t * n + p, w)


_add.infer(lambda *args: [])


class _IoUBase(Metric):
    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None, sparse_y_true: bool = True,
        sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_weight("total_confusion_matrix", shape=(num_classes, num_classes), initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        from tf2compat import argmax

        y_true, y_pred = _number(y_true), _number(y_pred)
        if not self.sparse_y_true:
            y_true = argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = argmax(y_pred, axis=self.axis)
        _add(self.total_cm, y_true, y_pred, _weight(sample_weight), self.ignore_class)


@op("KerasIoU", cm=ANY)
def _iou(cm: Any, classes: Any) -> Any:
    hits = cm.diagonal()
    union = cm.sum(0) + cm.sum(1) - hits
    if classes is not None:
        index = torch.as_tensor(classes, device=cm.device)
        hits, union = hits[index], union[index]
    valid = union != 0
    each = torch.where(valid, hits / torch.where(valid, union, torch.ones_like(union)), torch.zeros_like(hits))
    count = valid.sum().to(cm.dtype)
    return torch.where(count == 0, torch.zeros_like(count), each.sum() / torch.clamp(count, min=1))


class IoU(_IoUBase):
    """Intersection over union of `target_class_ids` (`tf.keras.metrics.IoU`); ValueError for an id beyond the classes."""

    def __init__(
        self, num_classes: int, target_class_ids: Any, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
        sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        if max(target_class_ids) >= num_classes:
            raise ValueError(f"Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes}).")
        self.__dict__["target_class_ids"] = list(target_class_ids)

    def result(self) -> Any:
        return _iou(self.total_cm, tuple(self.target_class_ids))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "num_classes": self.num_classes, "target_class_ids": self.target_class_ids, "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true, "sparse_y_pred": self.sparse_y_pred, "axis": self.axis,
        }  # fmt: skip


class BinaryIoU(IoU):
    """Intersection over union of classes 0 and 1 of thresholded predictions (`tf.keras.metrics.BinaryIoU`)."""

    def __init__(self, target_class_ids: Any = (0, 1), threshold: float = 0.5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(num_classes=2, target_class_ids=target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        from tf2compat import cast

        super().update_state(y_true, cast(_number(y_pred), self._dtype) >= self.threshold, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self._dtype, "target_class_ids": self.target_class_ids, "threshold": self.threshold}


class MeanIoU(_IoUBase):
    """Mean intersection over union of all classes that occur (`tf.keras.metrics.MeanIoU`)."""

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None, sparse_y_true: bool = True,
        sparse_y_pred: bool = True, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def result(self) -> Any:
        return _iou(self.total_cm, None)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "num_classes": self.num_classes, "ignore_class": self.ignore_class, "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred, "axis": self.axis,
        }  # fmt: skip


class OneHotIoU(IoU):
    """`IoU` of one-hot labels (`tf.keras.metrics.OneHotIoU`)."""

    def __init__(
        self, num_classes: int, target_class_ids: Any, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
        sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot labels (`tf.keras.metrics.OneHotMeanIoU`)."""

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None, sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config
