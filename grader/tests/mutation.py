"""Small mechanical changes to a C file, each of them a mistake that somebody could make: what mutate.py grades.

The file is read as tokens, not parsed: a change that does not compile is dropped by whoever compiles it. Only function
bodies are changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Iterator, Optional

_TOKEN = re.compile(r"""
    (?P<space>\s+ | //[^\n]* | /\*.*?\*/)
  | (?P<line>(?<![^\n])\#(?:[^\n\\]|\\.)*)
  | (?P<text>"(?:[^"\\]|\\.)*")
  | (?P<char>'(?:[^'\\]|\\.)*')
  | (?P<number>\d[\w.]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign>->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\.\.\.|.)
""", re.X | re.S)

_COMMENT = re.compile(r'''("(?:[^"\\]|\\.)*")|/\*.*?\*/|//[^\n]*''', re.S)

_OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "+": "-",
          "-": "+",
          "++": "--", "--": "++", "+=": "-=", "-=": "+=", "true": "false", "false": "true", "break": "continue",
          "continue": "break"}
_BINARY_ONLY = ("+", "-", "<", ">")         # as a prefix, or after a type, they mean something else
_NO_CALL = ("if", "while", "for", "switch", "sizeof", "return")


Change = tuple[str, int, int, str]      # what, begin, end, new text


@dataclass(frozen=True)
class Token:
    kind: str       # "space" (and comments), "line" (#…), "text", "char", "number", "name", "sign"
    text: str
    begin: int      # its place in the file

    @property
    def end(self) -> int:
        return self.begin + len(self.text)


@dataclass(frozen=True)
class Mutant:
    """One change."""

    id: str         # "fetch_one: `if (rc < 0)` -> `if (rc <= 0)`": stays as it is when lines are added elsewhere
    what: str       # "operator", "negate", "drop", "constant", "swap", …
    line: int       # of the original
    begin: int      # what is replaced: text[begin:end]
    end: int
    new: str

    def of(self, text: str) -> str:
        """The changed file."""
        return text[:self.begin] + self.new + text[self.end:]


def tokens(text: str) -> list[Token]:
    """The tokens, without white space and comments."""
    found = [Token(match.lastgroup or "", match.group(), match.start()) for match in _TOKEN.finditer(text)]
    return [token for token in found if token.kind != "space"]


def bodies(all_tokens: list[Token]) -> list[tuple[str, list[Token]]]:
    """(name, tokens between the braces) of each function."""
    found, depth, begin, name, parens = [], 0, 0, "", 0
    for k, token in enumerate(all_tokens):
        if token.kind == "line":
            continue
        if depth == 0 and token.text == "(" and parens == 0 and k:
            name = all_tokens[k - 1].text
        if depth == 0:
            parens += (token.text == "(") - (token.text == ")")
        if token.text == "{":
            if depth == 0:
                begin = k + 1 if all_tokens[k - 1].text == ")" else 0
            depth += 1
        elif token.text == "}":
            depth -= 1
            if depth == 0 and begin:
                found.append((name, [token for token in all_tokens[begin:k] if token.kind != "line"]))
    return found


def mutants(text: str) -> list[Mutant]:
    """Every change of the first kinds, in the order of their places."""
    return _made(text, _changes, {})


def further(text: str) -> list[Mutant]:
    """Every change of the other kinds: for files that are too short to give many of the first."""
    first = {mutant.id: mutant for mutant in mutants(text)}
    known = {mutant.of(text) for mutant in first.values()}
    return [mutant for mutant in _made(text, _further, first) if mutant.of(text) not in known]


def _made(text: str, changes: Callable[[str, list[Token]], Iterator[Change]],
          before: dict[str, Mutant]) -> list[Mutant]:
    """The changes as mutants; their ids differ from those of the ones before."""
    made = dict(before)
    for function, body in bodies(tokens(text)):
        for what, begin, end, new in sorted(changes(text, body), key=lambda change: change[1:]):
            name = f"{function}: {_shown(text, begin, end, new)}"
            twice = 1
            while (name if twice == 1 else f"{name} ({twice})") in made:
                twice += 1
            name = name if twice == 1 else f"{name} ({twice})"
            made[name] = Mutant(name, what, text.count("\n", 0, begin) + 1, begin, end, new)
    return [mutant for name, mutant in made.items() if name not in before]


def spread(all_mutants: list[Mutant]) -> list[Mutant]:
    """The same mutants, so ordered that any first few of them lie all over the file: each half of what is left, in
    turn."""
    # The k-th place is k turned round bit by bit (van der Corput), which fills an interval evenly however far one
    # counts.
    ranked, size = [], len(all_mutants)
    bits = max(1, (size - 1).bit_length())
    for k in range(1 << bits):
        place = int(f"{k:0{bits}b}"[::-1], 2)
        if place < size:
            ranked.append(all_mutants[place])
    return ranked


# ---- The changes -----------------------------------------------------------------------------

def _changes(text: str, body: list[Token]) -> Iterator[Change]:
    yield from _token_changes(body)
    yield from _conditions(text, body)
    yield from _statements(text, body)


def _token_changes(body: list[Token]) -> Iterator[Change]:
    """Another operator, another constant."""
    for before, token in zip([None, *body], body):
        other = _other(before, token)
        if other is not None:
            yield ("constant" if token.kind in ("number", "text", "char") else "operator", token.begin, token.end,
                   other)
        if token.text == "!":
            yield "negate", token.begin, token.end, ""


def _other(before: Optional[Token], token: Token) -> Optional[str]:
    if token.kind == "number":
        value = re.fullmatch(r"(\d+)([\w.]*)", token.text)
        return f"{int(value[1]) + 1}{value[2]}" if value and not token.text.startswith("0x") else None
    if token.kind == "char":
        return "'#'" if token.text != "'#'" else "'@'"
    if token.kind == "text":
        return f'{token.text[:-1]}#"' if len(token.text) > 2 else '"#"'
    if token.text in _BINARY_ONLY and not (before and (before.kind in ("name", "number") and before.text not in _NO_CALL
                                                       or before.text in ")]")):
        return None
    return _OTHER.get(token.text)


def _conditions(text: str, body: list[Token]) -> Iterator[Change]:
    """if (x), while (x), for (;x;) with the opposite of x."""
    for k, token in enumerate(body):
        if token.text not in ("if", "while", "for") or k + 1 >= len(body) or body[k + 1].text != "(":
            continue
        close = _closing(body, k + 1)
        begin, end = body[k + 1].end, body[close].begin
        if token.text == "for":
            ends = [inner.begin for inner in body[k + 2:close] if inner.text == ";"]
            if len(ends) != 2:
                continue
            begin, end = ends[0] + 1, ends[1]
        if text[begin:end].strip():
            yield "negate", begin, end, f"{' ' if token.text == 'for' else ''}!({text[begin:end].strip()})"


def _closing(body: list[Token], k: int) -> int:
    """The place of the parenthesis or brace that closes the one at k."""
    opens, closes, depth = body[k].text, {"(": ")", "{": "}"}.get(body[k].text), 0
    for place in range(k, len(body)):
        depth += (body[place].text == opens) - (body[place].text == closes)
        if depth == 0:
            return place
    return len(body) - 1


def _statements(text: str, body: list[Token]) -> Iterator[Change]:
    """A statement left out, or standing after the one that followed it."""
    before: Optional[tuple[int, int]] = None
    for first, last in _simple(body):
        begin, end = body[first].begin, body[last].end
        yield "drop", begin, end, ";"
        if body[first].text == "return" and last > first + 1:
            yield "result", body[first + 1].begin, body[last].begin, "0" \
                if text[body[first + 1].begin:body[last].begin] != "0" else "-1"
        follows = before is not None and first > 0 and before[1] == first - 1
        if follows and before:
            one, other = text[body[before[0]].begin:body[before[1]].end], text[begin:end]
            between = text[body[before[1]].end:begin]
            yield "swap", body[before[0]].begin, end, other + between + one
        before = (first, last)


def _simple(body: list[Token]) -> Iterator[tuple[int, int]]:
    """(first, last) of each statement that ends with a semicolon and holds no block; without what stands in for (…)."""
    first, parens = 0, 0
    for k, token in enumerate(body):
        parens += (token.text == "(") - (token.text == ")")
        if token.text in "{}" or token.text == ":" and parens == 0 and "?" not in [inner.text
                                                                                   for inner in body[first:k]]:
            first = k + 1
        elif token.text == "else" or token.text == ")" and parens == 0 and _opens_block(body, first, k):
            first = k + 1
        elif token.text == ";" and parens == 0:
            if first < k:
                yield first, k
            first = k + 1


def _opens_block(body: list[Token], first: int, k: int) -> bool:
    """Is body[first..k] the head of an if, while, for or of one of the kit's blocks (CO_WITH_LOCK(&l))?"""
    head = body[first].text if first <= k else ""
    block = head in ("if", "while", "for", "switch") or head.endswith("foreach") or head.startswith("CO_WITH")
    return block and _closing(body, first + 1) == k


def _further(text: str, body: list[Token]) -> Iterator[Change]:
    yield from _smaller(body)
    yield from _always(text, body)
    yield from _lists(text, body)
    yield from _choices(text, body)
    for first, last in _simple(body):
        if last > first + 1 and body[first].text not in ("return", "break", "continue") and not _declares(body, first):
            yield "twice", body[first].begin, body[last].end, " ".join(2 * [text[body[first].begin:body[last].end]])


def _smaller(body: list[Token]) -> Iterator[Change]:
    """A constant less by one, a sign left out, the first element instead of the i-th."""
    for k, token in enumerate(body):
        before = body[k - 1] if k else None
        if token.kind == "number" and re.fullmatch(r"[1-9]\d*", token.text):
            yield "constant", token.begin, token.end, str(int(token.text) - 1)
        if token.text == "-" and before and before.text in ("return", "(", ",", "=", "==", "!=", "?", ":"):
            yield "sign", token.begin, token.end, ""
        if token.text == "[" and k + 2 < len(body) and body[k + 1].kind == "name" and body[k + 2].text == "]":
            yield "index", body[k + 1].begin, body[k + 1].end, "0"


def _always(text: str, body: list[Token]) -> Iterator[Change]:
    """if (1) and if (0); while (0)."""
    for k, token in enumerate(body[:-1]):
        if token.text not in ("if", "while") or body[k + 1].text != "(":
            continue
        begin, end = body[k + 1].end, body[_closing(body, k + 1)].begin
        if text[begin:end].strip() not in ("0", "1"):
            yield "never", begin, end, "0"
            if token.text == "if":
                yield "always", begin, end, "1"


def _lists(text: str, body: list[Token]) -> Iterator[Change]:
    """Two neighbours change places among arguments or values; a field is left without its value."""
    for k, token in enumerate(body):
        call = token.text == "(" and k > 0 and body[k - 1].kind == "name" and body[k - 1].text not in _NO_CALL
        values = token.text == "{" and ";" not in [inner.text for inner in body[k:_closing(body, k)]]
        if not call and not values:
            continue
        parts = _parts(body, k)
        for (begin, end), (next_begin, next_end) in zip(parts, parts[1:]):
            one, other = body[_value(body, begin, end)].begin, body[_value(body, next_begin, next_end)].begin
            yield ("neighbours", one, body[next_end].end,
                   text[other:body[next_end].end] + text[body[end].end:other] + text[one:body[end].end])
            if values and body[begin].text == ".":
                yield "initial", body[begin].begin, body[next_begin].begin, ""
        if values and len(parts) > 1 and body[parts[-1][0]].text == ".":
            yield "initial", body[parts[-2][1]].end, body[parts[-1][1]].end, ""


def _choices(text: str, body: list[Token]) -> Iterator[Change]:
    """The other one of a ? b : c."""
    for k, token in enumerate(body):
        if token.text != "?":
            continue
        colon = next((j for j in range(k, len(body)) if body[j].text == ":"), 0)
        end = next((j for j in range(colon, len(body)) if body[j].text in (";", ",", ")", "}")), 0)
        if colon and end:
            one, other = text[body[k + 1].begin:body[colon - 1].end], text[body[colon + 1].begin:body[end - 1].end]
            if one != other:
                yield ("choice", body[k + 1].begin, body[end - 1].end,
                       other + text[body[colon - 1].end:body[colon + 1].begin] + one)


def _parts(body: list[Token], k: int) -> list[tuple[int, int]]:
    """(first, last) of what stands between the commas of the list that opens at k."""
    parts, first, depth = [], k + 1, 0
    for place in range(k, len(body)):
        text = body[place].text
        depth += (text in "([{") - (text in ")]}")
        if depth == 0 or text == "," and depth == 1:
            if first < place:
                parts.append((first, place - 1))
            first = place + 1
        if depth == 0:
            break
    return parts


def _value(body: list[Token], first: int, last: int) -> int:
    """Where the value begins in `.name = value`; `first` where there is no name."""
    return first + 3 if body[first].text == "." and first + 3 <= last and body[first + 2].text == "=" else first


def _declares(body: list[Token], first: int) -> bool:
    """Does the statement declare something: two names in a row, or one of the kit's (CO_GROUP)?"""
    after = [token for token in body[first + 1:first + 4] if token.text != "*"][:1]
    return (body[first].kind == "name" and bool(after) and after[0].kind == "name"
            or body[first].text.isupper())


def _shown(text: str, begin: int, end: int, new: str) -> str:
    """The lines before and after, in one line each."""
    first, last = text.rfind("\n", 0, begin) + 1, text.find("\n", end)
    last = len(text) if last < 0 else last
    one, other = text[first:last], text[first:begin] + new + text[end:last]
    return " -> ".join(f"`{' '.join(_COMMENT.sub(lambda match: match[1] or '', lines).split())}`"
                       for lines in (one, other))
