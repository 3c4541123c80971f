"""Do the calls work that LiteLLM, AnythingLLM, Open WebUI, Dify and Roo Code send, written out as plain HTTP?

Their packages are applications, or written in JavaScript; what they send was read from their sources.
"""

from __future__ import annotations

from typing import Any

import httpx

from tests.integrations import offline

VECTORS = [offline.dense(text, 64) for text in offline.TEXTS]
QUERY = offline.dense(offline.QUERY, 64)


class Caller:
    """Sends JSON, checks the status, gives the result."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url)

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        response = self._http.request(method, path, json=body)
        assert response.status_code == status, (method, path, response.status_code, response.text)
        return response.json().get("result") if status < 300 else response.json()["status"]["error"]


def litellm(call: Caller) -> None:
    for name, quantization in {
        "binary": {"binary": {"always_ram": False}},
        "scalar": {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": False}},
        "product": {"product": {"compression": "x16", "always_ram": False}},
    }.items():
        path = f"/collections/raw-litellm-{name}"
        assert call("GET", f"{path}/exists") == {"exists": False}
        body = {"vectors": {"size": 64, "distance": "Cosine"}, "quantization_config": quantization}
        assert call("PUT", path, body) is True
        assert name in call("GET", path)["config"]["quantization_config"]
        point = {"id": "6a5a2bfc-7fd5-45da-91f0-0dc3bd0e328c", "vector": VECTORS[0], "payload": {"text": "t"}}
        call("PUT", f"{path}/points", {"points": [point]})
        params = {"quantization": {"ignore": False, "rescore": True, "oversampling": 3.0}}
        hits = call(
            "POST", f"{path}/points/search", {"vector": QUERY, "params": params, "limit": 1, "with_payload": True}
        )
        assert [hit["id"] for hit in hits] == [point["id"]] and hits[0]["payload"] == {"text": "t"}


def anything_llm(call: Caller) -> None:
    assert call("GET", "/cluster") == {"status": "disabled"}  # its heartbeat
    path = "/collections/raw-anything"
    call("GET", path, status=404)
    call("PUT", path, {"vectors": {"size": 64, "distance": "Cosine"}})
    ids = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(3)]
    batch = {"ids": ids, "vectors": VECTORS, "payloads": [{"text": text} for text in offline.TEXTS]}
    assert call("PUT", f"{path}/points?wait=true", {"batch": batch})["status"] == "completed"
    assert call("GET", "/collections")["collections"]
    assert call("POST", f"{path}/points/count", {"exact": True}) == {"count": 3}
    hits = call("POST", f"{path}/points/search", {"vector": QUERY, "limit": 2, "with_payload": True})
    assert hits[0]["id"] == ids[0] and len(hits) == 2
    assert call("POST", f"{path}/points/delete?wait=true", {"points": ids[:1]})["status"] == "completed"
    assert call("DELETE", path) is True


def open_webui(call: Caller) -> None:
    path = "/collections/raw-webui"
    hnsw = {"payload_m": 16, "m": 0}
    call("PUT", path, {"vectors": {"size": 64, "distance": "Cosine", "on_disk": False}, "hnsw_config": hnsw})
    tenant = {"field_name": "tenant_id", "field_schema": {"type": "keyword", "is_tenant": True, "on_disk": False}}
    call("PUT", f"{path}/index", tenant)
    points = [
        {"id": n, "vector": vector, "payload": {"tenant_id": f"t{n % 2}", "metadata": {"file_id": f"f{n}"}}}
        for n, vector in enumerate(VECTORS)
    ]
    call("PUT", f"{path}/points", {"points": points})
    mine = {"key": "tenant_id", "match": {"value": "t0"}}
    hits = call("POST", f"{path}/points/query", {"query": QUERY, "limit": 999999999, "filter": {"must": [mine]}})
    assert [hit["id"] for hit in hits["points"]] == [0, 2]
    found = call("POST", f"{path}/points/scroll", {"limit": 999999999, "filter": {"must": [mine]}})
    assert len(found["points"]) == 2 and found["next_page_offset"] is None
    files = [
        {"key": "metadata.file_id", "match": {"value": "f2"}},
        {"key": "metadata.file_id", "match": {"value": "f9"}},
    ]
    call("POST", f"{path}/points/delete?wait=true", {"filter": {"must": [mine], "should": files}})
    assert call("POST", f"{path}/points/count", {"filter": {"must": [mine]}, "exact": True}) == {"count": 1}


def dify(call: Caller) -> None:
    path = "/collections/raw-dify"
    call("GET", path, status=404)
    call("PUT", path, {"vectors": {"size": 64, "distance": "Cosine"}, "hnsw_config": {"max_indexing_threads": 0}})
    text = {"type": "text", "tokenizer": "multilingual", "min_token_len": 2, "max_token_len": 20, "lowercase": True}
    for field, schema in (("metadata.doc_id", "keyword"), ("group_id", "keyword"), ("page_content", text)):
        call("PUT", f"{path}/index?wait=true", {"field_name": field, "field_schema": schema})
    points = [
        {
            "id": n + 1,
            "vector": vector,
            "payload": {"page_content": text, "group_id": "g", "metadata": {"doc_id": f"d{n}"}},
        }
        for n, (vector, text) in enumerate(zip(VECTORS, offline.TEXTS, strict=True))
    ]
    call("PUT", f"{path}/points", {"points": points})
    group = {"key": "group_id", "match": {"value": "g"}}
    search = {"vector": QUERY, "filter": {"must": [group]}, "limit": 5, "with_payload": True, "score_threshold": 0.0}
    hits = call("POST", f"{path}/points/search", {**search, "with_vector": True})
    assert hits[0]["id"] == 1 and len(hits[0]["vector"]) == 64
    words = {"must": [group, {"key": "page_content", "match": {"text": "tyre"}}]}
    found = call("POST", f"{path}/points/scroll", {"filter": words, "limit": 10, "with_vector": True})["points"]
    assert [point["id"] for point in found] == [2]
    assert len(call("POST", f"{path}/points", {"ids": [1, 2, 99]})) == 2
    call("POST", f"{path}/points/delete", {"filter": {"must": [{"key": "metadata.doc_id", "match": {"value": "d1"}}]}})
    assert call("POST", f"{path}/points/count", {"exact": True}) == {"count": 2}


def roo_code(call: Caller) -> None:
    path = "/collections/ws-0123456789abcdef"
    call("GET", path, status=404)
    vectors = {"size": 64, "distance": "Cosine", "on_disk": True}
    call("PUT", path, {"vectors": vectors, "hnsw_config": {"m": 64, "ef_construct": 512, "on_disk": True}})
    assert "already exists" in call("PUT", path, {"vectors": vectors}, status=409)
    for field in ("type", *(f"pathSegments.{n}" for n in range(5))):
        call("PUT", f"{path}/index", {"field_name": field, "field_schema": "keyword"})
    points = [
        {
            "id": n,
            "vector": vector,
            "payload": {"filePath": f"src/{n}.py", "pathSegments": {"0": "src", "1": f"{n}.py"}},
        }
        for n, vector in enumerate(VECTORS)
    ]
    points.append({"id": 99, "vector": QUERY, "payload": {"type": "metadata"}})
    call("PUT", f"{path}/points?wait=true", {"points": points})
    query = {
        "query": QUERY,
        "filter": {
            "must": [{"key": "pathSegments.0", "match": {"value": "src"}}],
            "must_not": [{"key": "type", "match": {"value": "metadata"}}],
        },
        "score_threshold": 0.3,
        "limit": 50,
        "params": {"hnsw_ef": 128, "exact": False},
        "with_payload": {"include": ["filePath", "pathSegments"]},
    }
    hits = call("POST", f"{path}/points/query", query)["points"]
    assert [hit["payload"]["filePath"] for hit in hits] == ["src/0.py"]
    gone = {"must": [{"key": "pathSegments.1", "match": {"value": "0.py"}}]}
    call("POST", f"{path}/points/delete?wait=true", {"filter": {"should": [gone]}})
    assert call("POST", f"{path}/points/count", {"exact": True}) == {"count": 3}
    assert call("GET", f"{path}/exists") == {"exists": True}


def run(url: str) -> None:
    call = Caller(url)
    for product in (litellm, anything_llm, open_webui, dify, roo_code):
        product(call)


if __name__ == "__main__":
    offline.main(run)
