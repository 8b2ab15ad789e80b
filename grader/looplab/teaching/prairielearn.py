"""A question of PrairieLearn's that is graded outside of it: its info.json and page, and the image that grades it,
built on PrairieLearn's own for C.

What PrairieLearn does with them stands in docs/externalGrading.md and in schemas/infoQuestion.json of
PrairieLearn/PrairieLearn: /grade/student holds the files, /grade/data/data.json the variant, and the container leaves
/grade/results/results.json and exit code 0. It has no network.
"""

from __future__ import annotations

import hashlib
import json
import uuid

from ..course.lab import Lab

TIMEOUT_S = 300         # 600 are the most

_IMAGE = """\
# docker build --tag registry.example/looplab-@LAB@ --file Containerfile . and push it; info.json names it.
FROM prairielearn/grader-c
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends @PACKAGES@ \\
    && rm -rf /var/lib/apt/lists/*
COPY looplab /looplab
COPY entrypoint.sh /entrypoint.sh
RUN cd /looplab && PYTHON=/usr/bin/python3 make grade LAB=@LAB@ FROM=solutions OUT=build/setup
"""

_ENTRY = """\
#!/usr/bin/env bash
# Run for each submission. Where the grader is at fault there is no score, and it costs no attempt.
grade=${GRADE:-/grade}
cd "${LOOPLAB:-/looplab}" || exit 1
mkdir -p "$grade/results"
LOOPLAB_STUDENT=$(python3 -I -c 'import json, sys
print(json.load(open(sys.argv[1])).get("variant_seed") or "somebody")' "$grade/data/data.json" || echo somebody)
export LOOPLAB_STUDENT
rm -rf build/graded
make grade LAB=@LAB@ FROM="$grade/student" OUT=build/graded FORMATS=prairielearn
cp "build/graded/@SLUG@/prairielearn.json" "$grade/results/results.json" ||
    echo '{"gradable": false, "message": "The grader failed, which is not your fault."}' > "$grade/results/results.json"
exit 0
"""

_PAGE = """\
<pl-question-panel>
  <p>Lab @LAB@. Its handout says what your file must do.</p>
  <pl-file-upload file-names="@FILES@"></pl-file-upload>
</pl-question-panel>
<pl-submission-panel>
  <pl-external-grader-results></pl-external-grader-results>
  <pl-file-preview></pl-file-preview>
</pl-submission-panel>
"""


def files(lab: Lab, packages: list[str]) -> dict[str, tuple[str, bool]]:
    """By name: the text, and whether it is a program. packages: what Debian and Ubuntu need to grade."""
    said = {"@LAB@": lab.number, "@SLUG@": lab.slug, "@PACKAGES@": " ".join(packages), "@FILES@": ",".join(lab.sources)}
    question = f"questions/looplab-{lab.slug}"
    texts = {"Containerfile": _IMAGE, "entrypoint.sh": _ENTRY, f"{question}/question.html": _PAGE,
             f"{question}/info.json": json.dumps(_info(lab), indent=2, ensure_ascii=False) + "\n"}
    for word, value in said.items():
        texts = {name: text.replace(word, value) for name, text in texts.items()}
    return {name: (text, name.endswith(".sh")) for name, text in texts.items()}


def _info(lab: Lab) -> dict:
    """The same each time, the number that nobody else's question has, too."""
    number = uuid.UUID(bytes=hashlib.sha256(f"looplab/{lab.slug}".encode()).digest()[:16], version=4)
    return {"uuid": str(number), "title": f"Lab {lab.number}: {lab.slug[3:].replace('-', ' ')}", "topic": "Async",
            "type": "v3", "gradingMethod": "External", "singleVariant": False, "externalGradingOptions": {
                "enabled": True, "image": f"registry.example/looplab-{lab.number}", "entrypoint": "/entrypoint.sh",
                "timeout": TIMEOUT_S}}
