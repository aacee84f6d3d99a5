"""Candidate samplers: named here, so that programs hear what is missing, and not implemented."""

from __future__ import annotations

from typing import Any, NoReturn


def _unsupported(name: str) -> NoReturn:
    raise NotImplementedError(
        f"tf2compat does not implement candidate sampling (tf.random.{name}); compute the full softmax, or draw classes with "
        "tf.random.uniform or tf.random.categorical."
    )


def all_candidate_sampler(true_classes: Any, num_true: Any, num_sampled: Any, unique: Any, seed: Any = None, name: Any = None) -> NoReturn:
    """Raises NotImplementedError: `tf.random.all_candidate_sampler` is not supported."""
    _unsupported("all_candidate_sampler")


def uniform_candidate_sampler(
    true_classes: Any, num_true: Any, num_sampled: Any, unique: Any, range_max: Any, seed: Any = None, name: Any = None
) -> NoReturn:
    """Raises NotImplementedError: `tf.random.uniform_candidate_sampler` is not supported."""
    _unsupported("uniform_candidate_sampler")


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: Any, num_sampled: Any, unique: Any, range_max: Any, seed: Any = None, name: Any = None
) -> NoReturn:
    """Raises NotImplementedError: `tf.random.log_uniform_candidate_sampler` is not supported."""
    _unsupported("log_uniform_candidate_sampler")


def learned_unigram_candidate_sampler(
    true_classes: Any, num_true: Any, num_sampled: Any, unique: Any, range_max: Any, seed: Any = None, name: Any = None
) -> NoReturn:
    """Raises NotImplementedError: `tf.random.learned_unigram_candidate_sampler` is not supported."""
    _unsupported("learned_unigram_candidate_sampler")


def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: Any,
    num_sampled: Any,
    unique: Any,
    range_max: Any,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Any = (),
    seed: Any = None,
    name: Any = None,
) -> NoReturn:
    """Raises NotImplementedError: `tf.random.fixed_unigram_candidate_sampler` is not supported."""
    _unsupported("fixed_unigram_candidate_sampler")
