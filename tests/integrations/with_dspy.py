"""Does dspy-qdrant work: a retriever over named and over unnamed vectors?"""

from __future__ import annotations

from typing import Any

import dspy
import numpy as np
from dspy_qdrant import QdrantRM
from dspy_qdrant.qdrant_rm import BaseSentenceVectorizer
from qdrant_client import QdrantClient, models

from tests.integrations import offline


class Hashed(BaseSentenceVectorizer):
    def __call__(self, inp_examples: list[Any]) -> Any:
        texts = self._extract_text_from_examples(inp_examples)
        return np.array([offline.dense(text) for text in texts], dtype=np.float32)


def run(url: str) -> None:
    client = QdrantClient(url=url)
    params = models.VectorParams(size=384, distance=models.Distance.COSINE)
    small = models.VectorParams(size=2, distance=models.Distance.DOT)
    for name, config, key in (
        ("dspy", params, ""),
        ("dspy-named", {"zz-first": params, "aa-second": small}, "zz-first"),
    ):
        client.create_collection(name, config)
        client.upsert(
            name,
            [
                models.PointStruct(id=n, vector={key: offline.dense(text)}, payload={"document": text, "other": n})
                for n, text in enumerate(offline.TEXTS)
            ],
        )
        retriever = QdrantRM(name, client, k=2, vectorizer=Hashed())
        found = retriever.forward(offline.QUERY)
        assert found[0]["long_text"] == offline.TEXTS[0] and len(found) == 2, found
        dspy.configure(rm=retriever)
        assert dspy.Retrieve(k=1)([offline.QUERY, "chocolate"]).passages == [offline.TEXTS[0]]
        only = models.Filter(must=[models.FieldCondition(key="other", match=models.MatchValue(value=1))])
        assert [each["long_text"] for each in retriever.forward(offline.QUERY, filter=only)] == [offline.TEXTS[1]]


if __name__ == "__main__":
    offline.main(run)
