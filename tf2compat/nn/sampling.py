"""Candidate sampling: `tf.nn.sampled_softmax_loss`, `nce_loss`, `compute_accidental_hits` and samplers."""

from __future__ import annotations

import collections
import math
from typing import Any

import torch

import tf2compat as tf

from .._engine.dtypes import FLOATS, float32, int64
from .._engine.op import INT, invalid, op, tensor
from .._engine.tensor import Tensor
from ..random.seeding import Stream, stream
from .losses import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits

UniformCandidateSampler = collections.namedtuple("UniformCandidateSampler", ["sampled_candidates", "true_expected_count", "sampled_expected_count"])
LogUniformCandidateSampler = collections.namedtuple("LogUniformCandidateSampler", ["sampled_candidates", "true_expected_count", "sampled_expected_count"])
FixedUnigramCandidateSampler = collections.namedtuple("FixedUnigramCandidateSampler", ["sampled_candidates", "true_expected_count", "sampled_expected_count"])
LearnedUnigramCandidateSampler = collections.namedtuple(
    "LearnedUnigramCandidateSampler", ["sampled_candidates", "true_expected_count", "sampled_expected_count"]
)
AllCandidateSampler = collections.namedtuple("AllCandidateSampler", ["sampled_candidates", "true_expected_count", "sampled_expected_count"])
ComputeAccidentalHits = collections.namedtuple("ComputeAccidentalHits", ["indices", "ids", "weights"])

_LOWEST = -3.4028234663852886e38


@op("CandidateSampler", multi=True, stateful=True, true_classes=tensor(int64), num_sampled=INT)
def _sample(true_classes: Any, num_sampled: int, unique: bool, weights: Any, numbers: Stream) -> Any:
    """Classes drawn by `weights` (uniform: their number; log-uniform: minus their number), and expected counts."""
    device = true_classes.device
    if device.type == "meta":
        return (
            torch.empty(num_sampled, dtype=torch.int64, device="meta"), torch.empty(true_classes.shape, device="meta"),
            torch.empty(num_sampled, device="meta"),
        )  # fmt: skip
    if isinstance(weights, int):
        size = abs(weights)
        ids = torch.arange(size, dtype=torch.float64)
        p = torch.full((size,), 1.0 / size, dtype=torch.float64) if weights > 0 else torch.log((ids + 2) / (ids + 1)) / math.log(size + 1)
    else:
        p = weights if isinstance(weights, torch.Tensor) else torch.tensor(weights, dtype=torch.float64)
        p = p / p.sum()
    generator = numbers.generator(torch.device("cpu"))
    if unique:
        if num_sampled > int((p > 0).sum()):
            raise invalid(f"Sampler's range is too small. Cannot draw {num_sampled} unique classes [Op:CandidateSampler] name: ")
        seen: dict[int, None] = {}
        tries = 0
        while len(seen) < num_sampled:
            for c in torch.multinomial(p, 2 * num_sampled + 8, replacement=True, generator=generator).tolist():
                tries += 1
                seen.setdefault(c)
                if len(seen) == num_sampled:
                    break
        drawn = torch.tensor(list(seen), dtype=torch.int64)
        expected = -torch.expm1(tries * torch.log1p(-p))
    else:
        drawn = torch.multinomial(p, num_sampled, replacement=True, generator=generator)
        expected = p * num_sampled
    expected = expected.float()
    return drawn.to(device), expected[true_classes.cpu()].to(device), expected[drawn].to(device)


def _checked(true_classes: Any, num_true: int) -> Any:
    true_classes = tf.cast(true_classes, tf.int64)
    if true_classes.shape.rank != 2 or true_classes.shape[1] != num_true:
        raise invalid(f"true_classes must have num_true columns, expected: {num_true} was: {true_classes.shape[-1] if true_classes.shape.rank else 0} "
                      "[Op:CandidateSampler] name: ")  # fmt: skip
    return true_classes


def uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None, name: str | None = None
) -> UniformCandidateSampler:
    """Classes below `range_max` drawn uniformly, and expected counts (`tf.random.uniform_candidate_sampler`)."""
    return UniformCandidateSampler(*_sample(_checked(true_classes, num_true), num_sampled, unique, int(range_max), stream(seed)))


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None, name: str | None = None
) -> LogUniformCandidateSampler:
    """Classes below `range_max`, low ones more often (Zipf), and expected counts (`tf.random.log_uniform_candidate_sampler`)."""
    return LogUniformCandidateSampler(*_sample(_checked(true_classes, num_true), num_sampled, unique, -int(range_max), stream(seed)))


def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Any = (),
    seed: Any = None,
    name: str | None = None,
) -> FixedUnigramCandidateSampler:
    """Classes drawn by given counts, from a file (last column of each line) or `unigrams` (`tf.nn.fixed_unigram_candidate_sampler`)."""
    if num_shards != 1 or shard != 0:
        raise ValueError("fixed_unigram_candidate_sampler does not support num_shards in tf2compat.")
    counts = [float(u) for u in unigrams]
    if vocab_file:
        with open(vocab_file, encoding="utf-8") as file:
            counts = [float(line.rsplit(",", 1)[-1]) for line in file if line.strip()]
    if len(counts) + num_reserved_ids != range_max:
        raise invalid(f"range_max is {range_max}, but there are {len(counts)} unigrams and {num_reserved_ids} reserved ids "
                      "[Op:FixedUnigramCandidateSampler] name: ")  # fmt: skip
    weights = tuple([0.0] * num_reserved_ids + [c**distortion for c in counts])
    return FixedUnigramCandidateSampler(*_sample(_checked(true_classes, num_true), num_sampled, unique, weights, stream(seed)))


#: how often each class was a true class, by the settings of a sampler, as kernels of TensorFlow keep it
_LEARNED: dict[Any, torch.Tensor] = {}


def _seen_so_far(size: int, settings: Any) -> torch.Tensor:
    found = _LEARNED.get(settings)
    if found is None:
        while len(_LEARNED) >= 64:
            del _LEARNED[next(iter(_LEARNED))]
        found = _LEARNED[settings] = torch.ones(size, dtype=torch.float64)
    return found


@op("LearnedUnigramCandidateSampler", multi=True, stateful=True, true_classes=tensor(int64), num_sampled=INT)
def _learned(true_classes: Any, num_sampled: int, unique: bool, size: int, settings: Any, numbers: Stream) -> Any:
    if true_classes.device.type == "meta":
        return _sample.op.fn(true_classes, num_sampled, unique, size, numbers)
    true = true_classes.cpu().reshape(-1)
    bad = true[(true < 0) | (true >= size)]
    if bad.numel():
        raise invalid(f"`true_candidate` out of range [0, {size}), received {int(bad[0])} [Op:LearnedUnigramCandidateSampler] name: ")
    if unique and num_sampled > size:
        raise invalid("Sampler's range is too small. [Op:LearnedUnigramCandidateSampler] name: ")
    seen = _seen_so_far(size, settings)
    found = _sample.op.fn(true_classes, num_sampled, unique, seen, numbers)
    seen.add_(torch.bincount(true, minlength=size).to(seen))
    return found


def learned_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: Any = None, name: str | None = None
) -> LearnedUnigramCandidateSampler:
    """Classes drawn as often as they were true in earlier calls with the same arguments (`tf.random.learned_unigram_candidate_sampler`)."""
    true_classes = _checked(true_classes, num_true)
    settings = (num_true, num_sampled, unique, int(range_max), seed)
    return LearnedUnigramCandidateSampler(*_learned(true_classes, num_sampled, unique, int(range_max), settings, stream(seed)))


def all_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, seed: Any = None, name: str | None = None
) -> AllCandidateSampler:
    """All classes below `num_sampled`, each expected once (`tf.nn.all_candidate_sampler`)."""
    true_classes = _checked(true_classes, num_true)
    return AllCandidateSampler(
        tf.range(num_sampled, dtype=tf.int64), tf.ones_like(true_classes, dtype=tf.float32), tf.ones([num_sampled], tf.float32)
    )


@op("ComputeAccidentalHits", multi=True, true_classes=tensor(int64), sampled=tensor(int64))
def _hits(true_classes: Any, sampled: Any) -> Any:
    same = true_classes.unsqueeze(2) == sampled
    rows, _, ids = same.nonzero(as_tuple=True)
    return rows.to(torch.int32), ids, torch.full(rows.shape, _LOWEST, dtype=torch.float32, device=sampled.device)


@_hits.infer
def _(true_classes: Any, sampled: Any) -> Any:
    from .._engine.dtypes import int32

    return [(int32, (None,)), (int64, (None,)), (float32, (None,))]


def compute_accidental_hits(
    true_classes: Any, sampled_candidates: Any, num_true: int, seed: Any = None, name: str | None = None
) -> ComputeAccidentalHits:
    """Rows and places where a sampled class is a true one, and the weights that take it out (`tf.nn.compute_accidental_hits`)."""
    return ComputeAccidentalHits(*_hits(_checked(true_classes, num_true), tf.cast(sampled_candidates, tf.int64)))


@op("SampledLogits", weights=tensor(FLOATS), biases=tensor(FLOATS), inputs=tensor(FLOATS), true_expected=tensor(FLOATS),
    sampled_expected=tensor(FLOATS), labels=tensor(int64, group="L"), sampled=tensor(int64, group="L"))  # fmt: skip
def _logits(
    weights: Any, biases: Any, inputs: Any, true_expected: Any, sampled_expected: Any, labels: Any, sampled: Any, remove: bool
) -> Any:
    """Logits [batch, true + sampled] of the true and the sampled classes, less the logarithm of their expected counts."""
    true = (inputs.unsqueeze(1) * weights[labels]).sum(-1) + biases[labels] - torch.log(true_expected)
    drawn = inputs @ weights[sampled].t() + biases[sampled]
    if remove:
        hit = (labels.unsqueeze(2) == sampled).any(1)
        drawn = drawn + hit.to(drawn.dtype) * torch.finfo(drawn.dtype).min
    return torch.cat([true, drawn - torch.log(sampled_expected)], 1)


def _prepared(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int, sampled_values: Any,
    remove: bool, seed: Any,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    if isinstance(weights, (list, tuple)):
        weights = tf.concat(list(weights), 0)
    labels = tf.cast(labels, tf.int64)
    if labels.shape.rank == 1:
        labels = tf.expand_dims(labels, 1)
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
    sampled, true_expected, sampled_expected = (tf.stop_gradient(s) for s in sampled_values)
    logits = _logits(weights, biases, inputs, true_expected, sampled_expected, labels, tf.cast(sampled, tf.int64), remove)
    share = tf.ones_like(logits[:, :num_true]) / num_true
    return logits, tf.concat([share, tf.zeros_like(logits[:, num_true:])], 1)


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    name: str | None = "nce_loss",
) -> Tensor:
    """The noise-contrastive loss [batch] (`tf.nn.nce_loss`); log-uniform samples unless `sampled_values` are given."""
    logits, targets = _prepared(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, None
    )
    return tf.reduce_sum(sigmoid_cross_entropy_with_logits(labels=targets, logits=logits), 1)


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    seed: Any = None,
    name: str | None = "sampled_softmax_loss",
) -> Tensor:
    """The softmax cross entropy [batch] over the true and some sampled classes (`tf.nn.sampled_softmax_loss`)."""
    logits, targets = _prepared(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits, seed
    )
    return softmax_cross_entropy_with_logits(labels=tf.stop_gradient(targets), logits=logits)
