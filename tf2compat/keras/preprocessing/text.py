"""`tf.keras.preprocessing.text`: words and numbers of texts."""

from __future__ import annotations

import collections
import hashlib
import json
from typing import Any

import numpy as np

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(input_text: str, filters: str = _FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text (`tf.keras.preprocessing.text.text_to_word_sequence`)."""
    if lower:
        input_text = input_text.lower()
    return [w for w in input_text.translate(str.maketrans(dict.fromkeys(filters, split))).split(split) if w]


def hashing_trick(
    text: str, n: int, hash_function: Any = None, filters: str = _FILTERS, lower: bool = True, split: str = " ", analyzer: Any = None
) -> list[int]:
    """Words as numbers from 1 to n - 1 by their hashes (`tf.keras.preprocessing.text.hashing_trick`)."""
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":

        def hash_function(w: str) -> int:
            return int(hashlib.md5(w.encode(), usedforsecurity=False).hexdigest(), 16)

    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [(hash_function(w) % (n - 1) + 1) for w in words]


def one_hot(
    input_text: str, n: int, filters: str = _FILTERS, lower: bool = True, split: str = " ", analyzer: Any = None
) -> list[int]:
    """Words as numbers from 1 to n - 1 (`tf.keras.preprocessing.text.one_hot`)."""
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


class Tokenizer:
    """Numbers words by frequency (`tf.keras.preprocessing.text.Tokenizer`). TypeError for unknown keywords."""

    def __init__(
        self, num_words: int | None = None, filters: str = _FILTERS, lower: bool = True, split: str = " ", char_level: bool = False,
        oov_token: str | None = None, analyzer: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if "nb_words" in kwargs:
            num_words = kwargs.pop("nb_words")
        document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError("Unrecognized keyword arguments: " + str(kwargs))
        self.word_counts: Any = collections.OrderedDict()
        self.word_docs: Any = collections.defaultdict(int)
        self.filters, self.split, self.lower = filters, split, lower
        self.num_words = num_words
        self.document_count = document_count
        self.char_level = char_level
        self.oov_token = oov_token
        self.index_docs: Any = collections.defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.analyzer = analyzer

    def _words(self, text: Any) -> list[str]:
        if self.char_level or isinstance(text, list):
            if self.lower:
                text = [t.lower() for t in text] if isinstance(text, list) else text.lower()
            return list(text)
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Any) -> None:
        """Count the words of texts and number them, the most frequent first."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for w in words:
                self.word_counts[w] = self.word_counts.get(w, 0) + 1
            for w in set(words):
                self.word_docs[w] += 1
        ordered = [w for w, _ in sorted(self.word_counts.items(), key=lambda entry: entry[1], reverse=True)]
        vocabulary = ([] if self.oov_token is None else [self.oov_token]) + ordered
        self.word_index = dict(zip(vocabulary, range(1, len(vocabulary) + 1), strict=True))
        self.index_word = {i: w for w, i in self.word_index.items()}
        for w, n in self.word_docs.items():
            self.index_docs[self.word_index[w]] = n

    def fit_on_sequences(self, sequences: Any) -> None:
        """Count documents by number, for `sequences_to_matrix`."""
        self.document_count += len(sequences)
        for s in sequences:
            for i in set(s):
                self.index_docs[i] += 1

    def texts_to_sequences(self, texts: Any) -> list[list[int]]:
        """Texts as lists of numbers; unknown words are left out, or the out-of-vocabulary number."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Any) -> Any:
        """As `texts_to_sequences`, one at a time."""
        oov = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for text in texts:
            out = []
            for w in self._words(text):
                i = self.word_index.get(w)
                if i is not None and not (self.num_words and i >= self.num_words):
                    out.append(i)
                elif oov is not None:
                    out.append(oov)
            yield out

    def sequences_to_texts(self, sequences: Any) -> list[str]:
        """Lists of numbers as texts."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Any) -> Any:
        """As `sequences_to_texts`, one at a time."""
        oov = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for s in sequences:
            out = []
            for i in s:
                w = self.index_word.get(i)
                if w is not None and not (self.num_words and i >= self.num_words):
                    out.append(w)
                elif oov is not None:
                    out.append(self.index_word[oov])
            yield " ".join(out)

    def texts_to_matrix(self, texts: Any, mode: str = "binary") -> np.ndarray:
        """A row of word weights for each text."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> np.ndarray:
        """A row of weights for each sequence; `mode` is binary, count, freq or tfidf. ValueError for another."""
        if not self.num_words:
            if not self.word_index:
                raise ValueError("Specify a dimension (`num_words` argument), or fit on some text data first.")
            width = len(self.word_index) + 1
        else:
            width = self.num_words
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Fit the Tokenizer on some data before using tfidf mode.")
        out = np.zeros((len(sequences), width))
        for row, s in enumerate(sequences):
            counts = collections.Counter(i for i in s if i < width)
            for i, n in counts.items():
                if mode == "count":
                    out[row][i] = n
                elif mode == "freq":
                    out[row][i] = n / len(s)
                elif mode == "binary":
                    out[row][i] = 1
                elif mode == "tfidf":
                    out[row][i] = (1 + np.log(n)) * np.log(1 + self.document_count / (1 + self.index_docs.get(i, 0)))
                else:
                    raise ValueError("Unknown vectorization mode:", mode)
        return out

    def get_config(self) -> dict[str, Any]:
        """The options and counts, as plain values and JSON."""
        return {
            "num_words": self.num_words, "filters": self.filters, "lower": self.lower, "split": self.split, "char_level": self.char_level,
            "oov_token": self.oov_token, "document_count": self.document_count, "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs), "index_docs": json.dumps(self.index_docs),
            "index_word": json.dumps(self.index_word), "word_index": json.dumps(self.word_index),
        }  # fmt: skip

    def to_json(self, **kwargs: Any) -> str:
        """The tokenizer as JSON."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `to_json` wrote (`tf.keras.preprocessing.text.tokenizer_from_json`)."""
    config = json.loads(json_string)["config"]
    counts, docs = json.loads(config.pop("word_counts")), json.loads(config.pop("word_docs"))
    index_docs = {int(k): v for k, v in json.loads(config.pop("index_docs")).items()}
    index_word = {int(k): v for k, v in json.loads(config.pop("index_word")).items()}
    word_index = json.loads(config.pop("word_index"))
    out = Tokenizer(**config)
    out.word_counts, out.word_docs, out.index_docs = counts, docs, index_docs
    out.word_index, out.index_word = word_index, index_word
    return out
