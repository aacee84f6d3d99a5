"""Metrics of segmentations: `MeanIoU` and its relatives."""

import pytest

import tf2compat as tf


@pytest.mark.parametrize(("labels", "predictions", "said"), [
    ([0, 1], [3, 0], "`predictions` out of bound"), ([0, 5], [1, 0], "`labels` out of bound"),
    ([0, -1], [1, 0], "`labels` contains negative values"), ([0, 1], [1, -1], "`predictions` contains negative values"),
])  # fmt: skip
def test_classes_beyond_those_of_an_overlap_are_refused(labels, predictions, said):
    """They were counted among others' before where the place happened to exist."""
    metric = tf.keras.metrics.MeanIoU(2)
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        metric(labels, predictions)
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        tf.function(metric.update_state)(tf.constant(labels), tf.constant(predictions))
    assert not metric.total_cm.numpy().any()


def test_overlaps_of_numbers_in_lists_and_weights_of_other_sizes():
    assert float(tf.keras.metrics.BinaryIoU()([0, 1, 1], [0, 1, 0])) == 0.5
    assert float(tf.keras.metrics.MeanIoU(2, ignore_class=255)([0, 255], [1, 255])) == 0.0
    for weights in ([1, 2], 2.0):
        with pytest.raises(ValueError, match="are incompatible"):
            tf.keras.metrics.MeanIoU(2)([0, 1, 1], [0, 1, 0], weights)
