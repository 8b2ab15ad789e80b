"""From checks to points: the session of one file, the plugin that runs its checks."""
