// Does @langchain/qdrant work: documents, filters, MMR, deletion, an existing collection?

import assert from "node:assert/strict";
import { Document } from "@langchain/core/documents";
import { Embeddings } from "@langchain/core/embeddings";
import { QdrantVectorStore } from "@langchain/qdrant";
import { dense, QUERY, TEXTS } from "./offline.mjs";

class Hashed extends Embeddings {
  constructor() {
    super({});
  }
  async embedDocuments(texts) {
    return texts.map((text) => dense(text));
  }
  async embedQuery(text) {
    return dense(text);
  }
}

const config = { url: process.argv[2], collectionName: "js-langchain" };
const documents = TEXTS.map((pageContent, number) => new Document({ pageContent, metadata: { number } }));
const store = await QdrantVectorStore.fromDocuments(documents, new Hashed(), config);
assert.equal((await store.similaritySearch(QUERY, 1))[0].pageContent, TEXTS[0]);
const filter = { must: [{ key: "metadata.number", match: { value: 2 } }] };
assert.deepEqual((await store.similaritySearchWithScore(QUERY, 3, filter)).map(([each]) => each.metadata.number), [2]);
const diverse = await store.maxMarginalRelevanceSearch(QUERY, { k: 2, fetchK: 3 });
assert.equal(diverse[0].pageContent, TEXTS[0]);
const existing = await QdrantVectorStore.fromExistingCollection(new Hashed(), config);
await existing.delete({ filter });
assert.equal((await existing.client.count(config.collectionName)).count, 2);
const [{ id }] = (await existing.client.scroll(config.collectionName, { limit: 1 })).points;
await existing.delete({ ids: [id] });
assert.equal((await existing.client.count(config.collectionName)).count, 1);
console.log("ok");
