// What stands in for embedding models here? Texts are hashed word by word.

import { createHash } from "node:crypto";

export const TEXTS = [
  "Recipe for baking chocolate chip cookies",
  "How to change a flat car tyre",
  "The stock market fell sharply today",
];
export const QUERY = "chocolate cookies recipe";

export function dense(text, size = 384) {
  const vector = new Array(size).fill(1e-3);
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    vector[createHash("sha256").update(word).digest().readUInt32BE(0) % size] += 1;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
