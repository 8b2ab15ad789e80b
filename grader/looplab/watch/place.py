"""Where one was: the lab that the last watch was on."""

from __future__ import annotations

import json
from pathlib import Path

from ..course import lab as labs
from ..course.lab import Lab


class Place:
    """build/watch.json. A file that is damaged counts as none."""

    def __init__(self, root: Path):
        self._file = root / "build" / "watch.json"
        try:
            said = json.loads(self._file.read_text())
            lab, self.source = said.get("lab", ""), str(said.get("source", ""))
            self.lab = lab if lab in labs.slugs(root) else ""
        except (OSError, ValueError, AttributeError):
            self.lab = self.source = ""

    def remember(self, lab: Lab) -> None:
        """Remembers the lab, and which of its files where there are several; where nothing can be written, nothing is
        remembered."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            here = {"lab": lab.slug, **({"source": lab.source} if lab.warmups else {})}
            self._file.write_text(json.dumps(here) + "\n")
        except OSError:
            pass
