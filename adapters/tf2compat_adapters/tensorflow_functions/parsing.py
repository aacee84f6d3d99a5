"""How examples are parsed in exported functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf2compat._engine import dtypes

from .body import NotExportable, Ref
from .export import Call
from .rules import rule


@rule("ParseExampleV2")
def _parse(call: Call) -> Any:
    b, plans = call.body, call["plans"]
    kinds = {kind: [p for p in plans if p.kind == kind] for kind in ("sparse", "fixed", "ragged", "padded")}
    if any(p.partitions for p in kinds["ragged"]) or len(plans) != sum(map(len, kinds.values())):
        raise NotExportable("it divides rows by other features")
    if call["single"]:
        raise NotExportable("it parses one example")
    dense = kinds["fixed"] + kinds["padded"]

    def keys(some: list[Any]) -> Ref:
        return b.constant(np.asarray([p.key.encode() for p in some], object), dtypes.string)

    def default(plan: Any) -> Ref:
        if plan.default < 0:
            return b.constant(np.zeros(0, object if plan.dtype is dtypes.string else plan.dtype.as_numpy_dtype), plan.dtype)
        given = call.scope.ref(call["defaults"][plan.default])
        return b.op("Reshape", given, b.ints(list(plan.shape))) if plan.kind == "fixed" else given

    found = call.op(
        "ParseExampleV2", call.ref("serialized"), call.ref("names"), keys(kinds["sparse"]), keys(dense), keys(kinds["ragged"]), list(map(default, dense)),
        num_sparse=len(kinds["sparse"]), sparse_types=[p.dtype for p in kinds["sparse"]], ragged_value_types=[p.dtype for p in kinds["ragged"]],
        ragged_split_types=[dtypes.int64] * len(kinds["ragged"]), dense_shapes=[[None, *p.shape] if p.kind == "padded" else list(p.shape) for p in dense],
        Tdense=[p.dtype for p in dense],
    )  # fmt: skip
    parts = iter(found)
    indices, values, shapes = ([next(parts) for _ in kinds["sparse"]] for _ in range(3))
    dense_values = [next(parts) for _ in dense]
    ragged, splits = ([next(parts) for _ in kinds["ragged"]] for _ in range(2))
    of = {id(p): three for p, three in zip(kinds["sparse"], zip(indices, values, shapes, strict=True), strict=True)}
    of.update({id(p): (value,) for p, value in zip(dense, dense_values, strict=True)})  # type: ignore[misc]
    of.update({id(p): pair for p, pair in zip(kinds["ragged"], zip(ragged, splits, strict=True), strict=True)})  # type: ignore[misc]
    return [part for p in plans for part in of[id(p)]]
