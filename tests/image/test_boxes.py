"""Boxes that are no numbers end no program and are not chosen."""

from __future__ import annotations

import numpy as np

import tf2compat as tf


def test_softening_by_overlaps_that_are_no_numbers_ends() -> None:
    boxes = tf.constant([[0.0, 0.0, np.inf, np.inf]] * 2 + [[0.0, 0.0, 1.0, 1.0]])
    places, scores = tf.image.non_max_suppression_with_scores(boxes, tf.constant([0.9, 0.8, 0.7]), 3, soft_nms_sigma=0.5)
    assert places.numpy().tolist()[0] == 0 and 1 not in places.numpy().tolist() and not np.isnan(scores).any()
