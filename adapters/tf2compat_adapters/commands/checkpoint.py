"""`python -m tf2compat checkpoint show PATH`: names, dtypes and shapes of what a file holds, whatever its format.

PATH is a checkpoint (its prefix, or a directory with one), a .safetensors, .h5 or .keras file, or a SavedModel's directory.
"""

from __future__ import annotations

import argparse
import math
import sys

from tf2compat import errors
from tf2compat._ports.checkpoint import ITEM_SIZE
from tf2compat_adapters.commands.files import Tensors, open_tensors


def size_text(size: float) -> str:
    """Bytes for people: 12 B, 3.4 KiB, 5.6 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _show(tensors: Tensors, out: object) -> None:
    rows = [(name, info.dtype, str(list(info.shape))) for name, info in sorted(tensors.entries.items())]
    widths = [max([len(row[i]) for row in rows], default=0) for i in range(3)]
    for name, dtype, shape in rows:
        print(f"{name:<{widths[0]}}  {dtype:<{widths[1]}}  {shape}", file=out)  # type: ignore[call-overload]
    elements = sum(math.prod(info.shape) for info in tensors.entries.values() if info.dtype != "string")
    size = sum(math.prod(info.shape) * ITEM_SIZE.get(info.dtype, 0) for info in tensors.entries.values())
    print(f"{len(rows)} tensors, {elements:,} numbers, {size_text(size)} ({tensors.kind})", file=out)  # type: ignore[call-overload]


def main(argv: list[str]) -> int:
    """Runs the command; the exit status."""
    parser = argparse.ArgumentParser("python -m tf2compat checkpoint", description=__doc__)
    parser.add_argument("action", choices=["show", "verify"], help="show: list the tensors; verify: read them all, with checksums")
    parser.add_argument("path")
    args = parser.parse_args(argv)
    try:
        tensors = open_tensors(args.path)
        if args.action == "verify":
            for _ in tensors:
                pass
            print(f"{len(tensors.entries)} tensors are whole")
        else:
            _show(tensors, sys.stdout)
    except (errors.OpError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
