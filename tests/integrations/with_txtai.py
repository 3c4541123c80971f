"""Does qdrant-txtai work: it calls the deprecated search/batch, with a qdrant-client that still has it?"""

from __future__ import annotations

import numpy as np
from qdrant_txtai.ann.qdrant import Qdrant

from tests.integrations import offline


def vectors(*texts: str) -> np.ndarray:
    return np.array([offline.dense(text) for text in texts], dtype=np.float32)


def run(url: str) -> None:
    config = {"backend": "qdrant_txtai.ann.qdrant.Qdrant", "dimensions": 384, "qdrant": {"url": url}}
    index = Qdrant(config)
    index.index(vectors(*offline.TEXTS))
    index.append(vectors("one more text"))
    assert index.count() == len(offline.TEXTS) + 1
    hits = index.search(vectors(offline.QUERY, "one more text"), 2)
    assert [found[0][0] for found in hits] == [0, len(offline.TEXTS)], hits
    index.delete([0])
    assert Qdrant(config).config["offset"] == len(offline.TEXTS)


if __name__ == "__main__":
    offline.main(run)
