"""The data-source port: other libraries' data sets as pipelines. Adapters are named `data_source.<name>`."""

from __future__ import annotations

from typing import Any, Protocol


class DataSource(Protocol):
    def accepts(self, value: Any) -> bool:
        """Whether the value is a data set of this library. Must not import the library when nothing of it is loaded."""

    def dataset(self, value: Any, output_signature: Any = None) -> Any:
        """The pipeline of its elements. TypeError where their types have no tensors."""
