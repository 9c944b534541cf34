"""Keyed hashes: values that are equal have equal hashes, and only the key's holder can guess them.

One key for each installation. Without a key anyone can hash a list of words, or every telephone
number, and look the hashes up. A process sets its key once, before it makes its first fingerprint;
without one the hashes are unkeyed, which only tests and the evaluation on public recordings want.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

KEY_BYTES_MIN = 16  # 128 bits: out of reach of guessing
DIGEST_BYTES = 8  # of a whole value
SUBJECT_BYTES = 6
WORD_BYTES = 4  # sets of these are sent with each call, so they are small
ID_BYTES = 4  # of a key's id: tells keys apart, says nothing of the key
WORDS_CACHED_MAX = 2_048  # the words of one run come again at each of its steps


class Hasher:
    """BLAKE2b with one key: a state for each purpose, so that hashes of two are never equal."""

    __slots__ = ("key_id", "line", "subject", "value", "word")

    def __init__(self, key: bytes) -> None:
        short = blake2b(key).digest() if len(key) > blake2b.MAX_KEY_SIZE else key
        self.key_id = blake2b(b"id", key=short, digest_size=ID_BYTES).hexdigest() if short else ""
        self.value = blake2b(key=short, digest_size=DIGEST_BYTES, person=b"value")
        self.subject = blake2b(key=short, digest_size=SUBJECT_BYTES, person=b"subject")
        self.word = blake2b(key=short, digest_size=WORD_BYTES, person=b"word")
        self.line = blake2b(key=short, digest_size=WORD_BYTES, person=b"line")


_hasher = Hasher(b"")


def use_key(key: bytes) -> None:
    """Make every fingerprint of this process with `key` from now on. Empty: unkeyed.

    Raises ValueError for a key shorter than KEY_BYTES_MIN.
    """
    global _hasher  # noqa: PLW0603 (one process, one key)
    if 0 < len(key) < KEY_BYTES_MIN:
        raise ValueError(f"a fingerprint key has at least {KEY_BYTES_MIN} bytes, not {len(key)}")
    _hasher = Hasher(key)
    hash_word.cache_clear()


def key_id() -> str:
    """Which key this process uses, as eight hexadecimal digits. Empty: none."""
    return _hasher.key_id


def hash_value(data: bytes) -> str:
    """The digest of a whole value: 16 hexadecimal digits."""
    state = _hasher.value.copy()
    state.update(data)
    return state.hexdigest()


def hash_subject(value: str) -> str:
    """One subject, hashed without regard to case: equal across tools, processes and hosts."""
    state = _hasher.subject.copy()
    state.update(value.casefold().encode("utf-8", "replace"))
    return state.hexdigest()


@lru_cache(maxsize=WORDS_CACHED_MAX)
def hash_word(word: str) -> int:
    """32 bits of a word."""
    state = _hasher.word.copy()
    state.update(word.encode("utf-8", "replace"))
    return int.from_bytes(state.digest())


@lru_cache(maxsize=WORDS_CACHED_MAX)
def hash_public(text: str) -> int:
    """32 bits of an id that is random, or of a digest that is keyed: equal under every key."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=WORD_BYTES).digest())


def hash_line(line: bytes) -> int:
    """32 bits of a line of a result."""
    state = _hasher.line.copy()
    state.update(line)
    return int.from_bytes(state.digest())


def smallest(hashes: set[int], count: int) -> frozenset[int]:
    """The `count` smallest hashes, so that equal sets stay equal after they are bounded."""
    return frozenset(sorted(hashes)[:count] if len(hashes) > count else hashes)
