"""Tiny models of the kinds of fastembed that the script beside the repository does not make.

Each function fills a folder with what one class of fastembed reads, and takes the module of that script for its
vocabulary and for writing files. Words weigh by random numbers; colours mean the same to texts and images.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from py_rust_stemmers import SnowballStemmer

from qdlite.types import FloatArray

STOP_WORDS = ("how", "to", "for", "the", "a", "an", "of", "in")
KNOWN_WORDS = ("cookies", "bake", "stock", "dog", "garden", "recipe")
"""The vocabulary of miniCOIL; other words weigh as in BM25."""
IMAGE_TOKENS = ("<|begin_of_text|>", "<image>", "<end_of_utterance>", "<fake_token_around_image>", "<global-img>")
GRID_TOKENS = tuple(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5))
COLPALI_SIDE, TILE = 448, 32

Builder = Callable[[Any, Path], object]


def random(*shape: int, seed: int) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def special_tokens(path: Path, *tokens: str) -> None:
    """Tokens beyond the vocabulary, with ids from its length on."""
    file = path / "special_tokens_map.json"
    named = json.loads(file.read_bytes())
    file.write_text(json.dumps({**named, "additional_special_tokens": list(tokens)}))


def save(tiny: Any, file: Path, steps: list[tuple[Any, ...]], given: dict[str, Any], outputs: dict[str, Any]) -> None:
    """Writes a graph. A step is (operator, inputs, output) and perhaps its attributes; `given` holds the weights
    and, as lists of dimensions, the inputs beside the two of all text models."""
    helper = tiny.helper
    nodes = [helper.make_node(step[0], step[1].split(), [step[2]], **dict(*step[3:])) for step in steps]
    images = {name: shape for name, shape in given.items() if isinstance(shape, list)}
    weights = {name: value for name, value in given.items() if not isinstance(value, list)}
    value = helper.make_tensor_value_info
    inputs = [value(name, tiny.FLOAT if shape else tiny.INT64, shape) for name, shape in images.items()]
    results = [value(name, tiny.FLOAT, shape) for name, shape in outputs.items()]
    tiny.save_onnx(file, nodes, [*tiny.text_inputs(False), *inputs], results, weights)


def known_ids(tiny: Any) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    """Steps and weights that make `ids`: those of tokens beyond the vocabulary become 0."""
    steps = [("Less", "input_ids size", "known"), ("Where", "known input_ids zero", "ids")]
    return steps, {"size": np.array(len(tiny.VOCAB)), "zero": np.array(0)}


def bm42(tiny: Any, path: Path) -> None:
    """Attention of the first token to each other, for two heads, as the second output."""
    tiny.write_tokenizer(path)
    (path / "stopwords.txt").write_text("\n".join(STOP_WORDS))
    steps = [
        ("Gather", "W input_ids", "last_hidden_state"),
        ("Transpose", "last_hidden_state", "by_head", {"perm": [0, 2, 1]}),
        ("Cast", "attention_mask", "mask", {"to": tiny.FLOAT}),
        ("Log", "mask", "hidden"),
        ("Unsqueeze", "hidden one", "hidden_by_head"),
        ("Add", "by_head hidden_by_head", "seen"),
        ("Softmax", "seen", "attention", {"axis": -1}),
        ("Unsqueeze", "attention two", "attention_6"),
    ]
    weights = {"W": random(len(tiny.VOCAB), 2, seed=11), "one": np.array([1]), "two": np.array([2])}
    outputs = {"last_hidden_state": ["batch", "seq", 2], "attention_6": ["batch", 2, 1, "seq"]}
    save(tiny, path / "model.onnx", steps, weights, outputs)


def minicoil(tiny: Any, path: Path, width: int = 16) -> None:
    """A model of token vectors, and a matrix for each known word that reduces them to four numbers."""
    tokens(tiny, path, width)
    (path / "stopwords.txt").write_text("\n".join(STOP_WORDS))
    stem = SnowballStemmer("english").stem_word
    vocabulary = {"vocab": KNOWN_WORDS, "stem_mapping": {stem(word): word for word in KNOWN_WORDS}}
    (path / "minicoil.triplet.model.vocab").write_text(json.dumps(vocabulary))
    with (path / "minicoil.triplet.model.npy").open("wb") as file:
        np.save(file, random(len(KNOWN_WORDS) + 1, width, 4, seed=12))


def tokens(tiny: Any, path: Path, width: int) -> None:
    """One vector per token, without the knowledge of special tokens beyond the vocabulary."""
    tiny.write_tokenizer(path)
    steps, weights = known_ids(tiny)
    steps.append(("Gather", "E ids", "last_hidden_state"))
    outputs = {"last_hidden_state": ["batch", "seq", width]}
    save(tiny, path / "onnx" / "model.onnx", steps, {"E": tiny.word_vectors(width, 13), **weights}, outputs)


def inference_free_splade(tiny: Any, path: Path) -> None:
    tiny.splade(path)
    weights = np.abs(random(len(tiny.VOCAB), seed=14)) + 0.1
    (path / "idf.json").write_text(json.dumps(dict(zip(tiny.VOCAB, weights.tolist(), strict=True))))


def jina_colbert(tiny: Any, path: Path) -> None:
    tokens(tiny, path, 128)
    special_tokens(path, "<mask>")


def late_on(tiny: Any, path: Path) -> None:
    tokens(tiny, path, 128)
    (path / "onnx" / "model.onnx").rename(path / "model.onnx")


def m_late_on(tiny: Any, path: Path) -> None:
    late_on(tiny, path)
    special_tokens(path, "<mask>")


def colours(tiny: Any) -> FloatArray:
    """What words mean as colours: next to nothing for most."""
    table = 0.02 * random(len(tiny.VOCAB), 3, seed=15)
    table[:3] = 0
    for word, rgb in tiny.COLOURS.items():
        table[tiny.VOCAB.index(word)] = np.array(rgb) * 3 - 1
    return table


def seen_and_read(tiny: Any, file: Path, pixels: list[Any], axes: list[int], rows: int = 1024) -> None:
    """A vector for each of the last tokens, at most `rows`: what the token means plus the mean colour of the
    picture, which is 0 without one."""
    steps, weights = known_ids(tiny)
    steps += [
        ("ReduceMean", "pixel_values", "colour", {"axes": axes, "keepdims": 0}),
        ("Unsqueeze", "colour one", "everywhere"),
        ("Slice", "ids first last one", "last_ids"),
        ("Gather", "T last_ids", "meanings"),
        ("Add", "meanings everywhere", "both"),
        ("MatMul", "both P", "last_hidden_state"),
    ]
    weights |= {"one": np.array([1]), "first": np.array([-rows]), "last": np.array([np.iinfo(np.int64).max])}
    weights |= {"T": colours(tiny), "P": tiny.colour_projection(128)}
    outputs = {"last_hidden_state": ["batch", "seq", 128]}
    save(tiny, file, steps, {"pixel_values": pixels, **weights}, outputs)


def preprocessor(path: Path, **settings: Any) -> None:
    scaled = {"do_rescale": True, "rescale_factor": 1 / 255, "do_resize": True}
    normalised = {"do_normalize": True, "image_mean": [1 / 3] * 3, "image_std": [1 / 3] * 3}
    (path / "preprocessor_config.json").write_text(json.dumps({**scaled, **normalised, **settings}))


def colpali(tiny: Any, path: Path) -> None:
    """64 rows for a picture, as 1030 would make the tests slow."""
    tiny.write_tokenizer(path)
    special_tokens(path, "<s>", "<pad>")
    side = {"height": COLPALI_SIDE, "width": COLPALI_SIDE}
    preprocessor(path, image_processor_type="SiglipImageProcessor", size=side)
    pixels = ["batch", 3, COLPALI_SIDE, COLPALI_SIDE]
    seen_and_read(tiny, path / "model.onnx", pixels, [2, 3], rows=64)


def colmodernvbert(tiny: Any, path: Path) -> None:
    """Pictures are cut into tiles of 32 pixels, and one more that shows all of it."""
    tiny.write_tokenizer(path, max_length=256)
    special_tokens(path, *IMAGE_TOKENS, *GRID_TOKENS)
    (path / "processor_config.json").write_text('{"image_seq_len": 4}')
    (path / "config.json").write_text(json.dumps({"vision_config": {"image_size": TILE}, "pad_token_id": 0}))
    edges = {"size": {"longest_edge": 2 * TILE}, "max_image_size": {"longest_edge": TILE}}
    preprocessor(path, image_processor_type="Idefics3ImageProcessor", do_image_splitting=True, **edges)
    seen_and_read(tiny, path / "model_v2.onnx", ["images", "tiles", 3, TILE, TILE], [1, 3, 4])


def siglip(tiny: Any, path: Path) -> None:
    """Two models in one folder, which choose one of two outputs."""
    tiny.write_tokenizer(path, max_length=24)
    preprocessor(path, image_processor_type="SiglipImageProcessor", size={"height": TILE, "width": TILE})
    steps = [
        ("Gather", "T input_ids", "meanings"),
        ("MatMul", "meanings P", "last_hidden_state"),
        ("ReduceMax", "last_hidden_state", "pooler_output", {"axes": [1], "keepdims": 0}),
    ]
    weights = {"T": colours(tiny), "P": tiny.colour_projection(768)}
    outputs = {"last_hidden_state": ["batch", "seq", 768], "pooler_output": ["batch", 768]}
    save(tiny, path / "onnx" / "text_model.onnx", steps, weights, outputs)
    vision(tiny, path / "onnx" / "vision_model.onnx", 768, "pooler_output")


def vision(tiny: Any, file: Path, size: int, output: str) -> None:
    """Pictures alone; the mean colour."""
    helper, value = tiny.helper, tiny.helper.make_tensor_value_info
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colour", "P"], [output]),
    ]
    pixels = value("pixel_values", tiny.FLOAT, ["batch", 3, TILE, TILE])
    shown = value(output, tiny.FLOAT, ["batch", size])
    tiny.save_onnx(file, nodes, [pixels], [shown], {"P": tiny.colour_projection(size)})


def pictures(dimensions: int, model_file: str, processor: str, **settings: Any) -> Builder:
    def build(tiny: Any, path: Path) -> None:
        preprocessor(path, image_processor_type=processor, **settings)
        vision(tiny, path / model_file, dimensions, "image_embeds")

    return build


def dense(size: int, model_file: str = "onnx/model.onnx") -> Builder:
    return lambda tiny, path: tiny.dense_text(path, dim=size, model_file=model_file)


def jina_v3(tiny: Any, path: Path) -> None:
    """The vectors depend on what they are for, which is a third input."""
    tiny.write_tokenizer(path)
    steps = [
        ("Gather", "E input_ids", "words"),
        ("Gather", "A task_id", "purpose"),
        ("Add", "words purpose", "text_embeds"),
    ]
    weights = {"E": tiny.word_vectors(1024, 16), "A": random(5, 1024, seed=17)}
    save(tiny, path / "onnx/model.onnx", steps, {"task_id": [], **weights}, {"text_embeds": ["batch", "seq", 1024]})


def builtin_sentence(tiny: Any, path: Path) -> None:
    """Sentence vectors of the model itself, as the second output."""
    tiny.write_tokenizer(path)
    steps = [
        ("Gather", "E input_ids", "last_hidden_state"),
        ("Cast", "attention_mask", "mask", {"to": tiny.FLOAT}),
        ("Unsqueeze", "mask two", "by_token"),
        ("Mul", "last_hidden_state by_token", "seen"),
        ("ReduceSum", "seen one", "sentence_embedding", {"keepdims": 0}),
    ]
    weights = {"E": tiny.word_vectors(768, 18), "one": np.array([1]), "two": np.array([2])}
    outputs = {"last_hidden_state": ["batch", "seq", 768], "sentence_embedding": ["batch", 768]}
    save(tiny, path / "onnx" / "model.onnx", steps, weights, outputs)


def static(tiny: Any, path: Path) -> None:
    """A table of word vectors, without a network."""
    tiny.write_tokenizer(path)
    table = random(len(tiny.VOCAB), 256, seed=19)
    place = {"dtype": "F32", "shape": list(table.shape), "data_offsets": [0, table.nbytes]}
    header = json.dumps({"embeddings": place}).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + table.tobytes())


BUILDERS: dict[str, Builder] = {
    "Qdrant/bm42-all-minilm-l6-v2-attentions": bm42,
    "Qdrant/minicoil-v1": minicoil,
    "opensearch-project/opensearch-neural-sparse-encoding-doc-v3-gte": inference_free_splade,
    "jinaai/jina-colbert-v2": jina_colbert,
    "lightonai/LateOn": late_on,
    "lightonai/mLateOn": m_late_on,
    "Qdrant/colpali-v1.3-fp16": colpali,
    "Qdrant/colmodernvbert": colmodernvbert,
    "google/siglip2-base-patch16-224": siglip,
    "Qdrant/resnet50-onnx": pictures(2048, "model.onnx", "ConvNextFeatureExtractor", size={"shortest_edge": TILE}),
    "nomic-ai/nomic-embed-vision-v1.5": pictures(
        768, "onnx/model.onnx", "CLIPImageProcessor", size={"height": TILE, "width": TILE}
    ),
    "jinaai/jina-embeddings-v3": jina_v3,
    "google/embeddinggemma-300m": builtin_sentence,
    "Qwen/Qwen3-Embedding-0.6B": dense(1024),
    "minishlab/potion-base-8M": static,
    "nomic-ai/nomic-embed-text-v1.5": dense(768),
    "BAAI/bge-large-en-v1.5": dense(1024, "model.onnx"),
}
"""By the name of a model that fastembed lists."""
