"""From a trace to a cause: what happened, how it ended, and which line is to blame."""
