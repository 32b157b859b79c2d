"""Hostile inputs from good ones: input number n of a target is the same in every run with the same seed."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

LONGEST = 400_000
"""Bytes of an input at most: what is longer says nothing more and takes long to make."""

HOSTILE = [
    b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\t", b"\x1b[2J",
    b"\x1b]0;owned\x07", b"\xc2\x9b31m", "\u202e".encode(), "\u2028".encode(), "\x85".encode(), "\ufdfa".encode(),
    b"\\ud800", b"\\u0000", b"nan", b"inf", b"-inf", b"NaN", b"Infinity", b"1e999", b"-1e999", b"1e-999", b"-0", b"0x1p3",
    b"9" * 30, b"9" * 400, b"-" + b"9" * 25, b"1" * 5000, b"0.1e308", b"1_000", b"null", b"true", b"None", b"''", b'""', b"'",
    b'"', b"`", b"{", b"}", b"[", b"]", b"(", b")", b"<", b">", b"&", b"%", b"#", b"@", b"\\", b"*", b"=", b",", b";",
    b":", b"|", b"-", b"../../../etc/passwd", b"/etc/passwd", b"=cmd|' /C calc'!A0", b"<script>alert(1)</script>", b"[x](http://e)",
    b"[bold]x[/]", b"\\input{/etc/passwd}", b"${HOME}", b"$(id)", b"%s%n", b"{0.__class__}", b"__import__('os')", b"!!python/name:os",
    b"&a [*a]", b"<<: *a", b"' OR 1=1 --", b'" NEAR(', b"a" * 3000,
]  # fmt: skip
"""What is put anywhere: bytes that are no UTF-8, controls, marks, numbers at the edge, markup and code."""

NESTS = [
    (b"[", b"]"),
    (b"{", b"}"),
    (b"(", b")"),
    (b'{"a":', b"}"),
    (b"<a>", b"</a>"),
    (b"- ", b""),
    (b"-", b""),
    (b"not ", b""),
]
_TOKEN = re.compile(rb"\w+|\s+|[^\w\s]")
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_VALUE = re.compile(
    rb"(?<=[:=,] )[^\n]+|(?<=,)[^,\n]*|(?<=\")[^\"\n]*(?=\")|(?<=\{)[^{}\n]*(?=\})|(?<=>)[^<>]*(?=<)"
)

Mutation = Callable[[random.Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]


def make(name: str, number: int, seed: int, corpus: Sequence[bytes], dictionary: Sequence[bytes]) -> bytes:
    """Input `number` of the target `name`: one of the corpus, changed one to six times.

    Args:
        corpus: good inputs.
        dictionary: the target's own words, put in beside the ones of `HOSTILE`.
    """
    rng = random.Random(f"{name} {seed} {number}")
    data = rng.choice(corpus)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
        data = rng.choices(_MUTATIONS, _WEIGHTS)[0](rng, data, corpus, dictionary)[:LONGEST]
    return data


def _place(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((0, 1, 2, 8, 64, 512)))


def _word(rng: random.Random, dictionary: Sequence[bytes]) -> bytes:
    return rng.choice(dictionary) if dictionary and rng.random() < 0.6 else rng.choice(HOSTILE)


def _put(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    start, end = _place(rng, data)
    return data[:start] + _word(rng, words) + data[end:]


def _cut(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    start, end = _place(rng, data)
    return data[:start] + data[end:]


def _truncate(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    return data[: rng.randint(0, len(data))]


def _flip(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _splice(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    other = rng.choice(corpus)
    start, end = sorted((rng.randint(0, len(other)), rng.randint(0, len(other))))
    here, there = _place(rng, data)
    return data[:here] + other[start:end] + data[there:]


def _repeat(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    start, end = _place(rng, data)
    times = rng.choice((2, 2, 3, 10, 10, 100, 3000))
    return data[:start] + data[start:end] * times + data[end:]


def _nest(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    opening, closing = rng.choice(NESTS)
    depth = rng.choice((5, 30, 70, 150, 1100, 20_000))
    start, end = _place(rng, data)
    tail = closing * (depth if rng.random() < 0.7 else rng.randint(0, depth))
    return data[:start] + opening * depth + data[start:end] + tail + data[end:]


def _number(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    edge = rng.choice((b"0", b"-1", b"1e999", b"9" * 19, b"9" * 400, b"9" * 4500, b"0x" + b"f" * 4500, b"2.2250738585072011e-308",
                       b"nan", b"1e300", b"-1e300", b"0.5", b"2147483648"))  # fmt: skip
    return _replaced(rng, _NUMBER, data, edge)


def _value(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Something else where the format has a value: the frame around it stays whole."""
    return _replaced(rng, _VALUE, data, _word(rng, words) * rng.choice((1, 1, 1, 2, 50)))


def _replaced(rng: random.Random, pattern: re.Pattern[bytes], data: bytes, new: bytes) -> bytes:
    found = list(pattern.finditer(data[:20_000]))
    if not found:
        return data + new
    one = rng.choice(found)
    return data[: one.start()] + new + data[one.end() :]


def _tokens(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Words and signs swapped, dropped or taken from another input: still nearly of the grammar."""
    tokens = _TOKEN.findall(data[:20_000])
    others = _TOKEN.findall(rng.choice(corpus)[:20_000])
    for _ in range(rng.randint(1, 4)):
        if not tokens or not others:
            break
        at = rng.randrange(len(tokens))
        match rng.randrange(4):
            case 0:
                other = rng.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 1:
                del tokens[at]
            case 2:
                tokens[at] = rng.choice(others)
            case _:
                tokens.insert(at, tokens[rng.randrange(len(tokens))])
    return b"".join(tokens) + data[20_000:]


def _lines(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            lines[at], lines[other] = lines[other], lines[at]
        case 1:
            del lines[at]
        case 2:
            lines.insert(at, lines[other])
        case _:
            lines[at] = b" " * rng.randint(1, 4) + lines[at]
    return b"\n".join(lines)


def _line_ends(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    match rng.randrange(4):
        case 0:
            return data.replace(b"\n", b"\r\n")
        case 1:
            return data.replace(b"\n", b"\r")
        case 2:
            return b"\xef\xbb\xbf" + data
        case _:
            return data.replace(b"\n", b" ")


_ODD: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, "", "x", "\ud800", "\0", "a" * 3000, [], [[]], {}, {"a": None}, ["x"], [None], {"": {}},
    float("inf"), float("nan"),
]  # fmt: skip


def _json(rng: random.Random, data: bytes, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """Another kind of value at any place of a JSON document, or of one of its lines."""
    lines = data.split(b"\n") if data.lstrip()[:1] == b"{" and b"\n{" in data else [data]
    at = rng.randrange(len(lines))
    try:
        document = json.loads(lines[at])
    except (ValueError, RecursionError):
        return _value(rng, data, corpus, words)
    holders: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        one = waiting.pop()
        items = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        for key, inner in items:
            holders.append((one, key))
            waiting.append(inner)
    if not holders:
        return json.dumps(rng.choice(_ODD)).encode()
    for _ in range(rng.choice((1, 1, 3))):
        holder, key = rng.choice(holders)
        if isinstance(holder, dict) and rng.random() < 0.2:
            holder.pop(key, None)
        elif not isinstance(holder, dict) or key in holder:
            holder[key] = rng.choice(_ODD)
    lines[at] = json.dumps(document).encode()
    return b"\n".join(lines)


_MUTATIONS: list[Mutation] = [
    _put, _cut, _truncate, _flip, _splice, _repeat, _nest, _number, _value, _tokens, _lines, _line_ends, _json,
]  # fmt: skip
_WEIGHTS = [10, 6, 4, 6, 6, 3, 2, 8, 14, 12, 6, 3, 14]
