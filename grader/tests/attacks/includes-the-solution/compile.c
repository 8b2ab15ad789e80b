/* The solution is included, under another name for its line. */
#include "SOLUTION"
