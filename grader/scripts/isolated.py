"""isolated.py [--sure] -m MODULE | FILE, and its arguments: runs a piece of the house, and nothing that lies about.

make starts it with `python -I`: no variable of the user's, no folder they are in, and nothing they have installed for
themselves gets between the grader and the Python it was installed for. Python processes that it starts find the same.

--sure: exits with 64 more than the program's own code. Python exits with 1, too, where it fails by itself, perhaps
before a line of this has run; 65 it only ever exits with for a program that said 1.
"""

import os
import sys

HOUSE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SURE = 64


def clean() -> None:
    """The environment as the grader needs it, for this process and those it starts."""
    for name in [name for name in os.environ if name.startswith(("PYTHON", "PYTEST_")) and name != "PYTHON"]:
        del os.environ[name]
    os.environ["PYTHONPATH"] = os.path.join(HOUSE, "grader")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix or os.path.join(HOUSE, "build", "pycache")
    os.environ["PYTHONNOUSERSITE"] = "1"
    sys.path.insert(0, os.environ["PYTHONPATH"])


def run(words: list) -> None:
    """Becomes the module or the file, with its arguments."""
    import runpy

    if words[:1] == ["-m"]:
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def main(words: list) -> int:
    """Runs it; returns its exit code."""
    sure = words[:1] == ["--sure"]
    try:
        run(words[1:] if sure else words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        return code + SURE if sure and 0 <= code <= 3 else code
    return SURE if sure else 0


clean()
sys.exit(main(sys.argv[1:]))
