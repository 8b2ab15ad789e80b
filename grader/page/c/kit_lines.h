/* kit_lines.h - included in front of kit.c: its own calls that a trace tells of have a line, too. */
#include "co.h"
#include "page.h"

#define co_run_named(...) (co__pc = (uintptr_t)PLACE_OF_KIT + __LINE__, (co_run_named)(__VA_ARGS__))
