"""A CSV file as bytes, cell by cell: what nobody changes is written as it was read, byte for byte."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field

from ..plain.failure import UsageError


@dataclass
class Row:
    """A line of cells as they stand in the file, quotes and all; `end` is its line break, `line` where it begins."""

    cells: list[bytes]
    end: bytes
    line: int


@dataclass
class Sheet:
    """A whole file."""

    rows: list[Row] = field(default_factory=list)
    mark: bytes = b""           # the byte order mark, if there is one
    comma: bytes = b","

    def text(self, row: int, column: int) -> str:
        """What a cell says. Bytes that are no UTF-8 are read as Windows-1252, which is what spreadsheets write."""
        cell = _bare(self.rows[row].cells[column])
        try:
            return cell.decode("utf-8").strip()
        except UnicodeDecodeError:
            return cell.decode("cp1252", "replace").strip()

    def put(self, row: int, column: int, text: str) -> None:
        """Writes a cell, in quotes if it was; the text has neither quotes nor commas."""
        quoted = self.rows[row].cells[column][:1] == b'"'
        self.rows[row].cells[column] = (b'"%s"' if quoted else b"%s") % text.encode("ascii")

    def bytes(self) -> bytes:
        return self.mark + b"".join(self.comma.join(row.cells) + row.end for row in self.rows)


def _bare(cell: bytes) -> bytes:
    return cell[1:-1].replace(b'""', b'"') if len(cell) > 1 and cell[:1] == cell[-1:] == b'"' else cell


def parse(whole: bytes, name: str) -> Sheet:
    """The cells of a file. Raises UsageError, with the line, where it is no CSV that can be written back."""
    if whole.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in whole:
        raise UsageError(f"{name}: this is UTF-16, or no text: export it as CSV in UTF-8")
    mark = codecs.BOM_UTF8 if whole.startswith(codecs.BOM_UTF8) else b""
    whole = whole[len(mark):]
    first = whole.split(b"\n", 1)[0]
    comma = max((b",", b";", b"\t"), key=first.count)
    sheet = Sheet([], mark, comma)
    at, line = 0, 1
    while at < len(whole):
        row, at = _row(whole, at, comma, line, name)
        line += sum(cell.count(b"\n") for cell in row.cells) + 1
        sheet.rows.append(row)
    return sheet


def _row(whole: bytes, at: int, comma: bytes, line: int, name: str) -> tuple[Row, int]:
    cells: list[bytes] = []
    while True:
        begin = at
        if whole[at:at + 1] == b'"':
            at = _closing(whole, at + 1, line, name) + 1
        while at < len(whole) and whole[at:at + 1] not in (comma, b"\n", b"\r"):
            at += 1
        cells.append(whole[begin:at])
        if whole[at:at + 1] != comma:
            break
        at += 1
    end = b"\r\n" if whole[at:at + 2] == b"\r\n" else whole[at:at + 1]
    return Row(cells, end, line), at + len(end)


def _closing(whole: bytes, at: int, line: int, name: str) -> int:
    """Where the quote is that closes a cell."""
    while True:
        at = whole.find(b'"', at)
        if at < 0:
            raise UsageError(f"{name}:{line}: a quote is opened and never closed")
        if whole[at + 1:at + 2] != b'"':
            return at
        at += 2
