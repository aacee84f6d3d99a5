"""The protocol messages of `tf.train`: examples and their features, clusters and their jobs."""

from __future__ import annotations

from typing import Any

from tf2compat import _ports

_protos: Any = _ports.load("protos", "tensorflow")

BytesList = _protos.BytesList
FloatList = _protos.FloatList
Int64List = _protos.Int64List
Feature = _protos.Feature
Features = _protos.Features
FeatureList = _protos.FeatureList
FeatureLists = _protos.FeatureLists
Example = _protos.Example
SequenceExample = _protos.SequenceExample
ClusterDef = _protos.ClusterDef
JobDef = _protos.JobDef
ServerDef = _protos.ServerDef
