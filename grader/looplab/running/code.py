"""The lines of a C file as the compiler counts them, without what is no code: comments, and what stands between quotes.

Nothing is parsed here. It is told where lines, comments, quotes and statements begin and end: enough to say whether a
line holds code at all, and whether whoever wrote it wrote a condition there.
"""

from __future__ import annotations

import re

_SPLICE = re.compile(r"\\[ \t\f\v]*\n")
_JOINT = "\0"
"""Stands where a backslash joined two lines. No file holds one: build.read_source() refuses it."""

_NO_CODE = re.compile(r"""
    (?P<comment> /\0*/[^\n]* | /\0*\*.*?(?:\*\0*/|\Z) )
  | (?P<raw> \b(?:u8|[uUL])?\0*R\0*"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)" )
  | (?P<quoted> "(?:\\\0*.|[^"\\\n])*"? | '(?:\\\0*.|[^'\\\n])*'? )
""", re.VERBOSE | re.DOTALL)

_DIRECTIVE = re.compile(r"^\ufeff?[^\S\n]*(?:\#|%:)(?P<rest>[^\n]*)", re.MULTILINE)
_LINE = re.compile(r"\s*(?:line\b|\d)")
_DEFINE = re.compile(r"\s*define\s+(?P<name>\w+)(?P<body>.*)", re.DOTALL)
_OWN_WAY = r"(?P<word>optimize|no_sanitize\w*?|no_address_safety_analysis|disable_sanitizer_instrumentation)"
"""What a file would be compiled in a way of its own by: other optimisations, fewer sanitizers."""

_ATTRIBUTE = re.compile(rf"""
    \b__attribute(?:__)?\s*\(\s*\([^;{{}}]*\b(?:__)?{_OWN_WAY}(?:__)?\b
  | \[\s*\[[^;{{}}]*\b(?:__)?{_OWN_WAY.replace("word", "other")}(?:__)?\b
  | \bGCC\s+(?P<pragma>optimize)\b
""", re.VERBOSE)
_PRAGMA = re.compile(r"""\b_Pragma\s*\(\s*L?"[^"\n]*\b(?P<word>optimize)\b""")
_TOKEN = re.compile(r"\w+|[(){};\n]")
_HEADED = frozenset(("if", "for", "while", "switch"))


def lines(text: bytes) -> list[bytes]:
    """A file's lines, without what ends them, as compilers count: a lone carriage return ends one; a form feed does
    not, nor what else str.splitlines() knows."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")


class Code:
    """A C file's lines, from 1 on. text: its bytes, as they are."""

    def __init__(self, text: bytes):
        self._joined = _SPLICE.sub(_JOINT, b"\n".join(lines(text)).decode("utf-8", "replace"))
        self._code = code = _NO_CODE.sub(_blanked, self._joined)
        self._directives = [(_number(code, match.start()), match["rest"].replace(_JOINT, ""))
                            for match in _DIRECTIVE.finditer(code)]
        self._lines = ["", *_DIRECTIVE.sub(_only_joints, code).replace(_JOINT, "\n").split("\n")]
        self._before: list[str] | None = None

    @property
    def length(self) -> int:
        """How many lines there are."""
        return len(self._lines) - 1

    def renumbered(self) -> int | None:
        """The first line with a directive that gives lines another number or file: `#line 7`, `# 7 "x.c"`. Or None."""
        return next((number for number, rest in self._directives if _LINE.match(rest)), None)

    def own_way(self) -> tuple[int, str] | None:
        """The first line that asks to be compiled in a way of its own, in an attribute or a pragma, and its word:
        "optimize", "no_sanitize_address". Or None."""
        if not re.search(_OWN_WAY, self._joined.replace(_JOINT, "")):
            return None
        quoting = _NO_CODE.sub(lambda match: _blanked(match) if match["comment"] else match.group(), self._joined)
        for pattern, text in ((_ATTRIBUTE, self._code), (_PRAGMA, quoting)):
            for joined in (text.replace(_JOINT, "\n"), text.replace(_JOINT, "")):
                if match := pattern.search(joined):
                    return _number(joined, match.end()), next(word for word in match.groups() if word)
        return None

    def macros(self) -> dict[str, str]:
        """What is #defined here: name -> parameters and body."""
        found = (_DEFINE.match(rest) for _, rest in self._directives)
        return {match["name"]: match["body"] for match in found if match}

    def without_comments(self) -> str:
        """All of it but comments, directives, and what stands between quotes."""
        return "\n".join(self._lines)

    def holds_code(self, number: int) -> bool:
        """Is there more on this line than a brace or an else?"""
        return self._line(number).strip() not in ("", "{", "}", "else")

    def begins_at_the_margin(self, number: int) -> bool:
        """Does its text begin in the first column, as that of a function does?"""
        return not self._line(number)[:1].isspace()

    def statement(self, number: int) -> str:
        """This line, and in front of it what its first statement holds on earlier lines."""
        if self._before is None:
            self._before = self._begun()
        return (self._before[number] if number < len(self._before) else "") + self._line(number)

    def _line(self, number: int) -> str:
        return self._lines[number] if number < len(self._lines) else ""

    def _begun(self) -> list[str]:
        """For each line, what of a statement stands above it. The head of an `if (…)` ends where its bracket closes."""
        text = "\n".join(self._lines)
        before = [""]
        start = depth = 0
        headed = False
        for match in _TOKEN.finditer(text):
            token = match.group()
            if token == "\n":
                before.append(text[start:match.start()].replace("\n", " ") + " ")
            elif token in _HEADED and depth == 0:
                headed = True
            elif token == "(":
                depth += 1
            elif token == ")":
                depth = max(0, depth - 1)
                if depth == 0 and headed:
                    start, headed = match.end(), False
            elif token in "{}" or (token == ";" and depth == 0):
                start, depth, headed = match.end(), 0, False
        return before


def named(pattern: str, macros: dict[str, str]) -> re.Pattern[str]:
    """Finds what the pattern finds, and each macro whose body holds such a thing, by way of other macros too."""
    names: set[str] = set()
    found = re.compile(pattern)
    while True:
        more = {name for name, body in macros.items() if name not in names and found.search(body)}
        if not more:
            return found
        names |= more
        found = re.compile("|".join([pattern, rf"\b(?:{'|'.join(sorted(names))})\b"]))


def _number(text: str, at: int) -> int:
    """Of the line that holds this character."""
    return text.count("\n", 0, at) + text.count(_JOINT, 0, at) + 1


def _blanked(match: re.Match[str]) -> str:
    """As many lines as before, and nothing to read on them."""
    ends = "".join(sign for sign in match.group() if sign in "\n" + _JOINT)
    return (" " if match["comment"] else '""') + ends


def _only_joints(match: re.Match[str]) -> str:
    return _JOINT * match.group().count(_JOINT)
