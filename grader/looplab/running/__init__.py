"""How it is made to happen: compilers, processes, sanitizers, coverage, real servers."""
