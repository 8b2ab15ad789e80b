"""Random programs over co.h, a model of what they do, and the comparison with the real runtime."""
