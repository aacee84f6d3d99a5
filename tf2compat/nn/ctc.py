"""Connectionist temporal classification: `tf.nn.ctc_loss`, `ctc_greedy_decoder`, `ctc_beam_search_decoder`, `collapse_repeated`, `ctc_unique_labels`."""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

import tf2compat as tf

from .._engine import dtypes
from .._engine.convert import convert_to_tensor
from .._engine.dtypes import FLOATS, INTS, int32, int64
from .._engine.op import invalid, op, tensor
from .._engine.tensor import Tensor

_L = tensor(int32, int64, group="L")


@op("CTCLossDense", labels=_L, logits=tensor(FLOATS), label_length=tensor(int32, int64, group="A"), logit_length=tensor(int32, int64, group="B"))
def _dense_loss(labels: Any, logits: Any, label_length: Any, logit_length: Any, blank: int) -> Any:
    """Negative log likelihood [batch] of labels [batch, most labels] under logits [time, batch, classes].

    TensorFlow makes the blank the first class, and moves those before it; a label that was the blank is then its neighbour,
    or, where the blank comes first, a blank that the gradient does not see. Labels of no class cost nothing.
    """
    classes = logits.shape[-1]
    blank = blank + classes if blank < 0 else blank
    if not 0 <= blank < classes:
        raise invalid(f"blank_index must be in [0, {classes}), got {blank} [Op:CTCLoss] name: ")
    dtype, logits = logits.dtype, _wide(logits)
    # torch's gradient is that of the logits: what is normalised here must not be differentiated again
    scores = logits - torch.logsumexp(logits.detach(), -1, keepdim=True)
    seen = scores.detach()[..., blank : blank + 1]
    labels = labels.long()
    if blank:
        labels = torch.where(labels == blank, blank - 1, labels)
        blanks, nothing = labels == -1, (labels < -1) | (labels >= classes)
    else:
        blanks, nothing = labels == 0, (labels < 0) | (labels >= classes)
    labels = torch.where(blanks, classes, torch.where(nothing, classes + 1, labels))
    scores = torch.cat((scores, seen, torch.zeros_like(seen)), -1)
    return F.ctc_loss(scores, labels, logit_length.long(), label_length.long(), blank=blank, reduction="none").to(dtype)


@_dense_loss.infer
def _(labels: Any, logits: Any, *_: Any) -> Any:
    return [(dtypes.of(logits), (logits.shape[1],))] if logits.ndim == 3 else NotImplemented


def _wide(t: Any) -> Any:
    return t.float() if t.dtype in (torch.float16, torch.bfloat16) else t


@op("CTCLoss", labels=_L, inputs=tensor(FLOATS), label_length=tensor(int32, int64, group="A"), sequence_length=tensor(int32, int64, group="B"))
def kernel_loss(
    labels: Any, inputs: Any, label_length: Any, sequence_length: Any, collapse: bool = False, merge: bool = True, ignore: bool = False
) -> Any:
    """The loss [batch] of labels [batch, most labels] under inputs [time, batch, classes], the last of which is the blank.

    Classes from the blank on are fillings at the end of a row. `collapse`: labels that repeat are one. `merge`: so are steps of
    a path. `ignore`: rows that are too short for their labels cost nothing; else they are an error.
    """
    if inputs.ndim != 3:
        raise invalid("inputs is not a 3-Tensor [Op:CTCLoss] name: ")
    steps, batch, classes = inputs.shape
    if tuple(sequence_length.shape) != (batch,):
        raise invalid(f"len(sequence_length) != batch_size.  len(sequence_length):  {sequence_length.numel()} batch_size: {batch} [Op:CTCLoss] name: ")
    dtype, inputs = inputs.dtype, _wide(inputs)
    scores = torch.log_softmax(inputs, -1)
    labels, label_length, length = labels.long(), label_length.long(), sequence_length.long()
    inside = torch.arange(labels.shape[-1], device=labels.device) < label_length.unsqueeze(-1)
    if labels.device.type != "meta":
        _check(labels, inside, label_length, length, steps, classes)
    kept = inside & (labels < classes - 1)
    if collapse and labels.shape[-1]:
        kept = kept & torch.cat((kept[:, :1], labels[:, 1:] != labels[:, :-1]), 1)
        labels = labels.gather(1, torch.argsort((~kept).to(torch.int8), dim=1, stable=True))
    needed = kept.sum(-1)
    labels = torch.where(torch.arange(labels.shape[-1], device=labels.device) < needed.unsqueeze(-1), labels, 0)
    short = needed > length
    if not ignore and labels.device.type != "meta" and bool(short.any()):
        row = int(short.nonzero()[0])
        raise invalid(
            f"Not enough time for target transition sequence (required: {int(needed[row])}, available: {int(length[row])}){row}You can turn "
            "this error into a warning by using the flag ignore_longer_outputs_than_inputs [Op:CTCLoss] name: "
        )
    if ignore:
        needed = torch.where(short, 0, needed)
    if merge:
        loss = F.ctc_loss(scores, labels, length, needed, blank=classes - 1, reduction="none", zero_infinity=True)
        again = ((labels[:, 1:] == labels[:, :-1]) & (torch.arange(1, labels.shape[1], device=labels.device) < needed.unsqueeze(-1))).sum(-1)
        lost = needed + again > length  # no path: all classes are less likely
        total = torch.logsumexp(inputs, -1) * (torch.arange(steps, device=inputs.device).unsqueeze(1) < length)
        loss = torch.where(lost, (total - total.detach()).sum(0) + math.inf, loss)
    else:
        loss = _unmerged(scores, labels, length, needed)
    return torch.where(short, 0.0, loss).to(dtype)


@kernel_loss.infer
def _(labels: Any, inputs: Any, *_: Any) -> Any:
    return [(dtypes.of(inputs), (inputs.shape[1],))] if inputs.ndim == 3 else NotImplemented


def _unmerged(scores: Any, labels: Any, length: Any, needed: Any) -> Any:
    """The loss where each step with a label is a label of its own: states are blanks and labels in turn."""
    steps, batch, classes = scores.shape
    never = scores.new_full((batch, 1), -1e30)
    states = labels.new_full((batch, 2 * labels.shape[1] + 1), classes - 1)
    states[:, 1::2] = labels
    stays = states == classes - 1
    emitted = scores.gather(2, states.expand(steps, *states.shape))
    place = torch.arange(states.shape[1], device=states.device)
    alpha = torch.where((place < 2) & (place <= 2 * needed.unsqueeze(-1)), emitted[0], never)
    last = [alpha]
    for step in range(1, steps):
        one = torch.cat((never, alpha[:, :-1]), 1)
        two = torch.cat((never, never, alpha[:, :-2]), 1)[:, : alpha.shape[1]]
        ways = torch.stack((torch.where(stays, alpha, never), one, torch.where(stays, never, two)))
        alpha = torch.logsumexp(ways, 0) + emitted[step]
        last.append(alpha)
    final = torch.stack(last)[(length - 1).clamp(min=0), torch.arange(batch, device=scores.device)]
    ends = (place == 2 * needed.unsqueeze(-1)) | (place == 2 * needed.unsqueeze(-1) - 1)
    return torch.where(length > 0, -torch.logsumexp(torch.where(ends, final, never), 1), 0.0)


def _check(labels: Any, inside: Any, label_length: Any, length: Any, steps: int, classes: int) -> None:
    """InvalidArgumentError for labels and lengths that TensorFlow refuses."""
    filling = labels >= classes - 1
    before = torch.cumsum((inside & filling).int(), -1) > 0
    problems = torch.stack((length > steps, label_length < 1, (inside & (labels < 0)).any(-1), (inside & ~filling & before).any(-1)))
    if not bool(problems.any()):
        return
    for what, rows in enumerate(problems.tolist()):
        if True not in rows:
            continue
        row = rows.index(True)
        shown = ",".join(str(v) for v in labels[row, : int(label_length[row])].tolist())
        seen = ",".join(str(v) for v in labels[row].tolist()[: int(filling[row].long().argmax())])
        raise invalid((
            f"sequence_length({row}) <= {steps}",
            f"Labels length is zero in batch {row}",
            f"All labels must be nonnegative integers, batch: {row} labels: {shown}",
            f"Saw a non-null label (index >= num_classes - 1) following a null label, batch: {row} num_classes: {classes} labels: {shown} "
            f"labels seen so far: {seen}",
        )[what] + " [Op:CTCLoss] name: ")  # fmt: skip


def sparse_loss(labels: Any, inputs: Any, sequence_length: Any, time_major: bool, *flags: bool) -> Tensor:
    """`kernel_loss` of labels that are a SparseTensor [batch, most labels]."""
    rows = labels.indices[:, 0]
    inputs = inputs if hasattr(getattr(inputs, "shape", None), "rank") else convert_to_tensor(inputs)
    if not time_major:
        inputs = tf.transpose(inputs, [1, 0, 2])
    counts = tf.math.unsorted_segment_sum(tf.ones_like(rows, tf.int32), rows, labels.dense_shape[0])
    return kernel_loss(tf.sparse.to_dense(labels), inputs, counts, sequence_length, *flags)


def ctc_loss(
    labels: Any,
    logits: Any,
    label_length: Any,
    logit_length: Any,
    logits_time_major: bool = True,
    unique: Any = None,
    blank_index: int | None = None,
    name: str | None = None,
) -> Tensor:
    """The CTC loss [batch] of labels [batch, most labels] (or sparse) under logits [time, batch, classes] (`tf.nn.ctc_loss`).

    `blank_index` is 0 by default; sparse labels need it. `unique` only speeds TensorFlow up and changes nothing here.
    """
    if hasattr(labels, "dense_shape"):
        if blank_index is None:
            raise ValueError("Argument `blank_index` must be provided when `labels` is a `SparseTensor`.")
        logits = logits if hasattr(getattr(logits, "shape", None), "rank") else convert_to_tensor(logits)
        classes, blank = int(logits.shape[-1]), int(blank_index)
        blank = blank + classes if blank < 0 else blank
        if blank != classes - 1:  # the kernel's blank is the last class
            logits = tf.concat([logits[..., :blank], logits[..., blank + 1 :], logits[..., blank : blank + 1]], -1)
        labels = labels.with_values(tf.where(labels.values < blank, labels.values, labels.values - 1))
        return sparse_loss(labels, logits, logit_length, logits_time_major)
    if label_length is None:
        raise ValueError("Argument `label_length` must be provided when labels is not a SparseTensor.")
    logits = logits if hasattr(getattr(logits, "shape", None), "rank") else convert_to_tensor(logits)
    if not logits_time_major:
        logits = tf.transpose(logits, [1, 0, 2])
    return _dense_loss(labels, logits, label_length, logit_length, 0 if blank_index is None else int(blank_index))


@op("CTCGreedyDecoder", multi=True, inputs=tensor(FLOATS), sequence_length=tensor(int32, group="S"))
def _greedy(inputs: Any, sequence_length: Any, merge_repeated: bool, blank: int) -> Any:
    """Indices, values and shape of the decoded labels, and the negative sum of the best logits [batch, 1]."""
    length, batch, classes = inputs.shape
    best, label = inputs.max(-1)
    inside = torch.arange(length, device=inputs.device).unsqueeze(1) < sequence_length.unsqueeze(0)
    score = -(best * inside.to(best.dtype)).sum(0).unsqueeze(1)
    kept = inside & (label != (blank % classes))
    if merge_repeated:
        before = torch.cat([torch.full_like(label[:1], -1), label[:-1]])
        kept = kept & (label != before)
    by_row = kept.t()
    place = torch.cumsum(by_row.long(), 1) - 1
    rows, steps = by_row.nonzero(as_tuple=True)
    indices = torch.stack([rows, place[rows, steps]], 1)
    values = label.t()[rows, steps]
    width = by_row.sum(1).max() if batch else torch.zeros((), dtype=torch.int64)
    return indices, values, torch.stack([torch.full_like(width, batch), width]), score


@_greedy.infer
def _(inputs: Any, sequence_length: Any, merge_repeated: bool, blank: int) -> Any:
    return [(int64, (None, 2)), (int64, (None,)), (int64, (2,)), (dtypes.of(inputs), (inputs.shape[1], 1))]


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> tuple[list[Any], Tensor]:
    """The best label of each step without blanks and (`merge_repeated`) repetitions (`tf.nn.ctc_greedy_decoder`).

    A list of one SparseTensor, and the negative sum of the best logits [batch, 1]. The blank is the last class by default.
    """
    indices, values, shape, score = _greedy(inputs, sequence_length, bool(merge_repeated), -1 if blank_index is None else int(blank_index))
    return [tf.SparseTensor(indices, values, shape)], score


def _search(logits: np.ndarray, beam_width: int, top_paths: int, merge_repeated: bool) -> tuple[list[list[int]], list[float]]:
    """The best label sequences of log probabilities [time, classes], by prefix beam search, and their log probabilities."""
    blank = logits.shape[1] - 1
    # label sequence → log probability of the paths that end in a blank, and of those that end in its last label
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for row in logits:
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for labels, (ends_blank, ends_label) in beams.items():
            total = np.logaddexp(ends_blank, ends_label)
            before = grown.get(labels, (-math.inf, -math.inf))
            again = ends_label + row[labels[-1]] if labels else -math.inf
            grown[labels] = (np.logaddexp(before[0], total + row[blank]), np.logaddexp(before[1], again))
            scores = np.full(blank, total) + row[:blank]
            if labels:
                scores[labels[-1]] = ends_blank + row[labels[-1]]
            wanted = np.argpartition(-scores, beam_width - 1)[:beam_width] if blank > beam_width else range(blank)
            for k in wanted:
                child = (*labels, int(k))
                known = grown.get(child, (-math.inf, -math.inf))
                grown[child] = (known[0], np.logaddexp(known[1], scores[k]))
        best = heapq.nlargest(beam_width, grown.items(), key=lambda entry: np.logaddexp(*entry[1]))
        beams = dict(best)
    found = heapq.nlargest(top_paths, beams.items(), key=lambda entry: np.logaddexp(*entry[1]))
    paths = [list(labels) for labels, _ in found]
    if merge_repeated:
        paths = [[k for i, k in enumerate(path) if not i or path[i - 1] != k] for path in paths]
    return paths, [float(np.logaddexp(*both)) for _, both in found]


@op("CTCBeamSearchDecoder", multi=True, inputs=tensor(FLOATS), sequence_length=tensor(int32, group="S"))
def _beam(inputs: Any, sequence_length: Any, beam_width: int, top_paths: int, merge_repeated: bool) -> Any:
    """Indices, values and shape for each path, and the log probabilities [batch, top_paths]."""
    if top_paths > beam_width:
        raise invalid("requested more paths than the beam width. [Op:CTCBeamSearchDecoder] name: ")
    rows = torch.log_softmax(inputs.detach(), -1).double().cpu().numpy()
    lengths = sequence_length.tolist()
    length, batch, _ = rows.shape
    if len(lengths) != batch or any(not 0 <= n <= length for n in lengths):
        raise invalid(f"len(sequence_length) != batch_size, or a length beyond {length}: {lengths} [Op:CTCBeamSearchDecoder] name: ")
    searched = [_search(rows[: lengths[b], b], beam_width, top_paths, merge_repeated) for b in range(batch)]
    out: list[Any] = []
    for p in range(top_paths):
        paths = [found[0][p] if p < len(found[0]) else [] for found in searched]
        where = [(b, i) for b, path in enumerate(paths) for i in range(len(path))]
        out.append(torch.tensor(where, dtype=torch.int64, device=inputs.device).reshape(-1, 2))
        out.append(torch.tensor([k for path in paths for k in path], dtype=torch.int64, device=inputs.device))
        out.append(torch.tensor([batch, max(map(len, paths), default=0)], dtype=torch.int64, device=inputs.device))
    scores = [[*found[1], *[-math.inf] * (top_paths - len(found[1]))] for found in searched]
    out.append(torch.tensor(scores, dtype=inputs.dtype, device=inputs.device).reshape(batch, top_paths))
    return tuple(out)


@_beam.infer
def _(inputs: Any, sequence_length: Any, beam_width: int, top_paths: int, merge_repeated: bool) -> Any:
    path = [(int64, (None, 2)), (int64, (None,)), (int64, (2,))]
    return [*path * top_paths, (dtypes.of(inputs), (inputs.shape[1], top_paths))]


def beam_search(inputs: Any, sequence_length: Any, beam_width: int, top_paths: int, merge_repeated: bool) -> tuple[list[Any], Tensor]:
    """`ctc_beam_search_decoder`, where asked for with repetitions in what is found merged (as TensorFlow 1 did)."""
    *parts, scores = _beam(inputs, sequence_length, int(beam_width), int(top_paths), merge_repeated)
    return [tf.SparseTensor(*parts[i : i + 3]) for i in range(0, len(parts), 3)], scores


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Any], Tensor]:
    """The most probable label sequences of logits [time, batch, classes] by prefix beam search (`tf.nn.ctc_beam_search_decoder`).

    A list of `top_paths` SparseTensors, and their log probabilities [batch, top_paths]. The blank is the last class.
    InvalidArgumentError for more paths than beams. Runs on the CPU.
    """
    return beam_search(inputs, sequence_length, beam_width, top_paths, merge_repeated=False)


@op("CollapseRepeated", multi=True, labels=tensor(INTS), seq_length=tensor(int32, int64, group="S"))
def _collapse(labels: Any, seq_length: Any) -> Any:
    inside = torch.arange(labels.shape[1], device=labels.device) < seq_length.unsqueeze(1)
    fresh = torch.ones_like(labels, dtype=torch.bool)
    fresh[:, 1:] = labels[:, 1:] != labels[:, :-1]
    kept = fresh & inside
    lengths = kept.sum(1)
    width = int(lengths.max()) if labels.shape[0] else 0
    out = labels.new_zeros((labels.shape[0], width))
    rows, columns = kept.nonzero(as_tuple=True)
    out[rows, (torch.cumsum(kept.long(), 1) - 1)[rows, columns]] = labels[rows, columns]
    return out, lengths.to(seq_length.dtype)


@_collapse.infer
def _(labels: Any, seq_length: Any) -> Any:
    return [(dtypes.of(labels), (labels.shape[0], None)), (dtypes.of(seq_length), tuple(seq_length.shape))]


def collapse_repeated(labels: Any, seq_length: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """labels [batch, time] with repetitions merged, padded with zeros, and the new lengths (`tf.nn.collapse_repeated`)."""
    out, lengths = _collapse(labels, seq_length)
    return out, lengths


@op("CTCUniqueLabels", multi=True, labels=tensor(INTS))
def _unique(labels: Any) -> Any:
    same = labels.unsqueeze(2) == labels.unsqueeze(1)
    first = same.to(torch.int8).argmax(2)  # where each label stands first
    is_first = first == torch.arange(labels.shape[1], device=labels.device)
    number = torch.cumsum(is_first.long(), 1) - 1
    index = number.gather(1, first)
    values = torch.zeros(labels.shape, dtype=torch.int64, device=labels.device)
    rows, columns = is_first.nonzero(as_tuple=True)
    values[rows, number[rows, columns]] = labels[rows, columns].long()
    return values, index.to(torch.int32)


@_unique.infer
def _(labels: Any) -> Any:
    return [(int64, tuple(labels.shape)), (int32, tuple(labels.shape))]


def ctc_unique_labels(labels: Any, name: str | None = None) -> list[Tensor]:
    """The distinct labels of each row, padded with zeros, and each label's place among them (`tf.nn.ctc_unique_labels`)."""
    return list(_unique(labels))
