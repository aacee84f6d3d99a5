"""`tf2compat.profile()`: where traced functions spend their time, tier by tier and region by region."""

from __future__ import annotations

import sys
from typing import Any

from . import tiers

__all__ = ["profile"]

_HEADER = ("function", "tier", "calls", "ms", "µs a call", "why")


class profile:
    """Measure the traced functions that run in a `with` block, and print a table at its end.

    A line for each trace that ran and each of its compiled or replayed regions: the tier, calls, time, and why something was not
    compiled. `file` is where the table goes (standard output unless given; None prints nothing); `rows` holds its lines afterwards. The
    table is drawn with `rich` where that is installed (extra `terminal`) and `file` is a terminal. On a GPU, regions are waited for.
    """

    def __init__(self, file: Any = sys.stdout) -> None:
        self.file = file
        self.rows: list[tuple[Any, ...]] = []

    def __enter__(self) -> profile:
        tiers.profile(True)
        self._before = {id(t): (t, *self._state(t)) for t in tiers.TIERS}
        return self

    def __exit__(self, *exc: object) -> None:
        tiers.profile(False)
        self._collect()
        if self.file is not None and exc[0] is None:
            self._print()

    @staticmethod
    def _state(tier: Any) -> tuple[int, float, dict[int, tuple[int, int, float]]]:
        return tier.profiled_calls, tier.profiled, {id(r): (r.compiled_calls, r.replayed_calls, r.seconds) for r in tier.regions}

    def _collect(self) -> None:
        found = []
        for tier in list(tiers.TIERS):
            _, calls, spent, regions = self._before.get(id(tier), (None, 0, 0.0, {}))
            calls, spent = tier.profiled_calls - calls, tier.profiled - spent
            if calls:
                found.append((spent, calls, tier, regions))
        for spent, calls, tier, regions in sorted(found, key=lambda f: -f[0]):
            compiled = any(r.ready for r in tier.regions) and tier.reason is None
            why = tier.reason or ("" if compiled else "being compiled" if tier.regions else f"compiled after {tier.cost:.1f} s of replay")
            self.rows.append((tier.graph.name, "planned" if compiled else "replayed", calls, spent * 1e3, spent / calls * 1e6, why))
            for r in tier.regions:
                c, p, s = regions.get(id(r), (0, 0, 0.0))
                c, p, s = r.compiled_calls - c, r.replayed_calls - p, r.seconds - s
                if c + p:
                    kind = "compiled" if c and not p else "replayed" if not c else "both"
                    self.rows.append((f"  {r.cut.name} ({r.ops} ops)", kind, c + p, s * 1e3, s / (c + p) * 1e6, r.failed or ""))
            if compiled:
                for reason in tier.reasons:
                    self.rows.append(("  host", "host", "", "", "", reason))

    def _print(self) -> None:
        cells = [tuple(f"{v:.1f}" if isinstance(v, float) else str(v) for v in row) for row in self.rows]
        if self.file.isatty():
            try:
                from rich.console import Console
                from rich.table import Table
            except ImportError:
                pass
            else:
                table = Table(*_HEADER)
                for row in cells:
                    table.add_row(*row)
                Console(file=self.file).print(table)
                return
        widths = [max(len(row[i]) for row in [_HEADER, *cells]) for i in range(len(_HEADER))]
        for row in [_HEADER, *cells]:
            ends = [v.rjust(w) if 1 < i < 5 else v.ljust(w) for i, (v, w) in enumerate(zip(row, widths, strict=True))]
            print("  ".join(ends).rstrip(), file=self.file)
