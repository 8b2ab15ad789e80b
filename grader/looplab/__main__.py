"""`python -m looplab`."""

import sys

from .cli import main

try:
    sys.exit(main(sys.argv[1:]))
except KeyboardInterrupt:
    sys.exit(130)
except BrokenPipeError:     # `… | head`: nobody reads on
    sys.stderr.close()
    sys.exit(1)
