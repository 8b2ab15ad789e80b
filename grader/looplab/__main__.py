"""`python -m looplab`."""

import sys

if sys.pycache_prefix:      # in build/: byte code kept there is in nobody's way, and makes the next start much quicker
    sys.dont_write_bytecode = False

from .cli import main

try:
    sys.exit(main(sys.argv[1:]))
except KeyboardInterrupt:
    sys.exit(130)
except BrokenPipeError:     # `… | head`: nobody reads on
    sys.stderr.close()
    sys.exit(1)
