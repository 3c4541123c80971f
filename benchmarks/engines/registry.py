"""Which engines are there, by name?"""

from __future__ import annotations

from benchmarks.engines.base import Engine
from benchmarks.engines.chroma import Chroma
from benchmarks.engines.client import Local, QdliteClient
from benchmarks.engines.edge import Edge, EdgePlain
from benchmarks.engines.lance import Lance
from benchmarks.engines.milvus import Milvus
from benchmarks.engines.qdlite import Qdlite

ENGINES: dict[str, type[Engine]] = {
    engine.name: engine for engine in (Qdlite, Edge, EdgePlain, Local, QdliteClient, Chroma, Lance, Milvus)
}
"""In the order of the tables."""
