"""Fingerprints of C files, by winnowing: Schleimer, Wilkerson, Aiken, "Winnowing: local algorithms for document
fingerprinting", SIGMOD 2003.

A file is read as tokens. Every name that its author could have chosen is the same token, and so is every number and
every text; comments and layout are none. So who renames changes nothing, and who moves a function changes what is
around its ends. Of each WINDOW hashes in a row, each of GRAM tokens, the least is a fingerprint: what two files have
in common over GRAM + WINDOW - 1 tokens or more is seen, whatever is around it.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import Iterable, Sequence

GRAM = 14
WINDOW = 8

_TOKEN = re.compile(r"""
    (?P<skip> \s+ | //[^\n]* | /\*.*?(?:\*/|\Z) | \\\n)
  | (?P<text> [LuU]?"(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'?)
  | (?P<name> [A-Za-z_]\w*)
  | (?P<number> \.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<sign> ->|\+\+|--|<<=?|>>=?|[-+*/%&|^!=<>]=|&&|\|\||\.\.\.|.)
""", re.VERBOSE | re.DOTALL)
_KEPT = frozenset("""break case char const continue default do double else enum extern float for goto if inline int long
    register return short signed sizeof static struct switch typedef union unsigned void volatile while bool size_t
    int64_t uint64_t NULL malloc calloc realloc free memcpy memset strlen assert""".split())


@dataclass(frozen=True)
class Token:
    """word: what counts of it. line: where it begins, from 1."""

    word: str
    line: int


@dataclass
class Prints:
    """A file, as far as it can be compared."""

    text: str
    tokens: list[Token]
    own: dict[int, list[int]] = field(default_factory=dict)     # fingerprints that are nobody else's, and where
    known: list[bool] = field(default_factory=list)             # by token: is it in what all have been given?


def tokens(text: str) -> list[Token]:
    """The tokens of a C file, or of any text: nothing is refused."""
    found, line, at = [], 1, 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind != "skip":
            line += text.count("\n", at, match.start())
            at = match.start()
            word = match[0]
            if kind == "name":
                word = word if word in _KEPT or word.startswith("co_") else "n"
            elif kind in ("number", "text"):
                word = "0" if kind == "number" else "s"
            found.append(Token(word, line))
    return found


def grams(all_tokens: Sequence[Token]) -> list[int]:
    """A hash of each GRAM tokens in a row; the same on every machine."""
    words = [zlib.crc32(token.word.encode()) for token in all_tokens]
    base, modulus, hashes, rolling = 1_000_003, (1 << 61) - 1, [], 0
    top = pow(base, GRAM, modulus)
    for number, word in enumerate(words):
        rolling = (rolling * base + word + 1) % modulus
        if number >= GRAM:
            rolling = (rolling - (words[number - GRAM] + 1) * top) % modulus
        if number >= GRAM - 1:
            hashes.append(rolling)
    return hashes


def given(texts: Iterable[str]) -> frozenset[int]:
    """What all may have in common: every hash of these texts."""
    return frozenset(one for text in texts for one in grams(tokens(text)))


def prints(text: str, without: frozenset[int]) -> Prints:
    """A file's fingerprints, but for those of `without` (see given)."""
    made = Prints(text, tokens(text))
    hashes = grams(made.tokens)
    made.known = [False] * len(made.tokens)
    for at, one in enumerate(hashes):
        if one in without:
            made.known[at:at + GRAM] = [True] * GRAM
    for at in _least(hashes):
        if hashes[at] not in without:
            made.own.setdefault(hashes[at], []).append(at)
    return made


def _least(hashes: Sequence[int]) -> list[int]:
    """Of each WINDOW the place of the least, the last of equal ones."""
    chosen: list[int] = []
    for begin in range(max(len(hashes) - WINDOW + 1, min(len(hashes), 1))):
        if chosen and chosen[-1] >= begin and begin + WINDOW <= len(hashes):
            last = begin + WINDOW - 1               # only one more has come into the window
            if hashes[last] <= hashes[chosen[-1]]:
                chosen.append(last)
            continue
        window = range(begin, min(begin + WINDOW, len(hashes)))
        chosen.append(min(window, key=lambda at: (hashes[at], -at)))
    return chosen


@dataclass(frozen=True)
class Block:
    """Tokens that two files have in common: from `left` and from `right`, `size` of them."""

    left: int
    right: int
    size: int


def _trimmed(block: Block, one: Prints, other: Prints) -> Block:
    """Without what all have been given at its ends: a fingerprint may reach into that."""
    begin, end = 0, block.size
    while begin < end and (one.known[block.left + begin] or other.known[block.right + begin]):
        begin += 1
    while begin < end and (one.known[block.left + end - 1] or other.known[block.right + end - 1]):
        end -= 1
    return Block(block.left + begin, block.right + begin, end - begin)


def blocks(one: Prints, other: Prints) -> list[Block]:
    """What two files have in common, the longest first; no token is in two of them."""
    left, right = [token.word for token in one.tokens], [token.word for token in other.tokens]
    found, seen = [], set()
    for key in one.own.keys() & other.own.keys():
        for a in one.own[key][:4]:
            for b in other.own[key][:4]:
                begin = 0
                while a + begin > 0 and b + begin > 0 and left[a + begin - 1] == right[b + begin - 1] \
                        and not one.known[a + begin - 1] and not other.known[b + begin - 1]:
                    begin -= 1
                if (a + begin, b + begin) in seen:
                    continue
                seen.add((a + begin, b + begin))
                end = GRAM
                while a + end < len(left) and b + end < len(right) and left[a + end] == right[b + end] \
                        and not one.known[a + end] and not other.known[b + end]:
                    end += 1
                found.append(_trimmed(Block(a + begin, b + begin, end - begin), one, other))
    kept: list[Block] = []
    taken_left, taken_right = set(), set()      # type: ignore[var-annotated]
    for block in sorted(found, key=lambda block: (-block.size, block.left, block.right)):
        mine, theirs = range(block.left, block.left + block.size), range(block.right, block.right + block.size)
        if block.size and taken_left.isdisjoint(mine) and taken_right.isdisjoint(theirs):
            kept.append(block)
            taken_left.update(mine)
            taken_right.update(theirs)
    return kept
