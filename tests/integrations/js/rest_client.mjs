// Does @qdrant/js-client-rest work, on Node? Every group of its methods, with documents embedded by the server.

import assert from "node:assert/strict";
import { QdrantClient } from "@qdrant/js-client-rest";
import { dense, QUERY, TEXTS } from "./offline.mjs";

const NAME = "js";
const MODEL = "hashing/64";
const client = new QdrantClient({ url: process.argv[2] });
const ids = (points) => points.map((point) => point.id);

async function collections() {
  assert.equal((await client.versionInfo()).title, "qdrant - vector search engine");
  const dense = { size: 64, distance: "Cosine" };
  assert.equal(await client.createCollection(NAME, { vectors: { dense }, sparse_vectors: { bm25: { modifier: "idf" } } }), true);
  await assert.rejects(client.createCollection(NAME, { vectors: dense }), (error) => {
    assert.equal(error.status, 409);
    return error.data.status.error.includes("already exists");
  });
  assert.deepEqual(await client.collectionExists(NAME), { exists: true });
  assert.equal((await client.getCollection(NAME)).config.params.vectors.dense.size, 64);
  await client.updateCollection(NAME, { optimizers_config: { indexing_threshold: 100 } });
  await client.updateCollectionAliases({ actions: [{ create_alias: { collection_name: NAME, alias_name: "alias" } }] });
  assert.equal((await client.getCollectionAliases(NAME)).aliases[0].alias_name, "alias");
  assert.equal((await client.getAliases()).aliases.length, 1);
  assert.ok((await client.getCollections()).collections.some(({ name }) => name === NAME));
  assert.deepEqual(await client.api().clusterStatus().then(({ data }) => data.result), { status: "disabled" });
}

async function writes() {
  const points = TEXTS.map((text, id) => ({
    id,
    vector: { dense: { text, model: MODEL }, bm25: { text, model: "qdrant/bm25" } },
    payload: { id, text, kind: id % 2 ? "odd" : "even", at: `2024-0${id + 1}-01T00:00:00Z` },
  }));
  assert.equal((await client.upsert(NAME, { wait: true, points })).status, "completed");
  await client.upsert(NAME, { wait: true, batch: { ids: [7], vectors: { dense: [dense(QUERY, 64)] }, payloads: [{ id: 7 }] } });
  const field = { field_schema: "keyword", wait: true };
  await client.createPayloadIndex(NAME, { field_name: "kind", ...field });
  await client.createPayloadIndex(NAME, { field_name: "id", field_schema: { type: "integer", range: true, lookup: true } });
  await client.setPayload(NAME, { wait: true, payload: { extra: [1, null] }, points: [0] });
  await client.overwritePayload(NAME, { wait: true, payload: { only: 1 }, points: [7] });
  await client.deletePayload(NAME, { wait: true, keys: ["at"], points: [0] });
  assert.deepEqual((await client.retrieve(NAME, { ids: [0] }))[0].payload, { id: 0, text: TEXTS[0], kind: "even", extra: [1, null] });
  await client.clearPayload(NAME, { wait: true, points: [7] });
  await client.updateVectors(NAME, { wait: true, points: [{ id: 7, vector: { dense: dense("other", 64) } }] });
  await client.deleteVectors(NAME, { wait: true, points: [7], vector: ["dense"] });
  await client.batchUpdate(NAME, { wait: true, operations: [{ delete: { points: [7] } }] });
  await client.createVectorName(NAME, "later", { dense: { size: 2, distance: "Dot" } });
  await client.deleteVectorName(NAME, "later");
}

async function reads() {
  const query = { text: QUERY, model: MODEL };
  const prefetch = [
    { query, using: "dense", limit: 3 },
    { query: { text: QUERY, model: "qdrant/bm25" }, using: "bm25", limit: 3 },
  ];
  const hybrid = await client.query(NAME, { prefetch, query: { fusion: "rrf" }, with_payload: ["text"] });
  assert.deepEqual(hybrid.points[0].payload, { text: TEXTS[0] });
  const filter = { must: [{ key: "kind", match: { value: "even" } }], must_not: [{ has_id: [0] }] };
  assert.deepEqual(ids((await client.query(NAME, { query, using: "dense", filter })).points), [2]);
  assert.equal((await client.queryBatch(NAME, { searches: [{ query: 0, using: "dense" }] }))[0].points.length, 2);
  assert.equal((await client.queryGroups(NAME, { query, using: "dense", group_by: "kind" })).groups.length, 2);
  assert.deepEqual(await client.count(NAME, { filter, exact: true }), { count: 1 });
  const page = await client.scroll("alias", { limit: 1, order_by: { key: "id", direction: "desc" } });
  assert.deepEqual(ids(page.points), [2]);
  assert.equal((await client.scroll(NAME, { limit: 2 })).next_page_offset, 2);
  assert.deepEqual((await client.facet(NAME, { key: "kind" })).hits, [{ value: "even", count: 2 }, { value: "odd", count: 1 }]);
  assert.ok((await client.searchMatrixPairs(NAME, { using: "dense", sample: 3, limit: 2 })).pairs.length > 0);
  assert.equal((await client.searchMatrixOffsets(NAME, { using: "dense", sample: 3 })).ids.length, 3);
}

async function deprecated() {
  const vector = { name: "dense", vector: dense(TEXTS[0], 64) };
  assert.equal((await client.search(NAME, { vector, limit: 2 })).length, 2);
  assert.equal((await client.searchBatch(NAME, { searches: [{ vector, limit: 1 }] })).length, 1);
  assert.equal((await client.searchPointGroups(NAME, { vector, group_by: "kind", group_size: 1, limit: 2 })).groups.length, 2);
  assert.equal((await client.recommend(NAME, { positive: [0], using: "dense" })).length, 2);
  assert.equal((await client.recommendBatch(NAME, { searches: [{ positive: [0], using: "dense", limit: 1 }] })).length, 1);
  assert.equal((await client.recommendPointGroups(NAME, { positive: [0], using: "dense", group_by: "kind", group_size: 1, limit: 2 })).groups.length, 2);
  assert.equal((await client.discoverPoints(NAME, { target: 0, context: [], using: "dense", limit: 3 })).length, 2);
  assert.equal((await client.discoverBatchPoints(NAME, { searches: [{ target: 0, using: "dense", limit: 1 }] })).length, 1);
}

async function snapshots() {
  const { name } = await client.createSnapshot(NAME);
  assert.deepEqual((await client.listSnapshots(NAME)).map((each) => each.name), [name]);
  assert.equal(await client.deleteSnapshot(NAME, name), true);
  const full = await client.createFullSnapshot();
  assert.equal(await client.deleteFullSnapshot(full.name), true);
  await assert.rejects(client.recoverSnapshot(NAME, { location: "file:///nowhere" }));
}

async function removal() {
  await client.delete(NAME, { wait: true, filter: { must: [{ key: "kind", match: { any: ["odd"] } }] } });
  assert.deepEqual(await client.count(NAME), { count: 2 });
  await client.deletePayloadIndex(NAME, "kind");
  assert.equal(await client.deleteCollection(NAME), true);
  await assert.rejects(client.getCollection(NAME), (error) => error.status === 404);
}

for (const part of [collections, writes, reads, deprecated, snapshots, removal]) await part();
console.log("ok");
