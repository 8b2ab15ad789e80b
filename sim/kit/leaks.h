/* leaks.h - is there any leak to search for? */
#ifndef KIT_LEAKS_H
#define KIT_LEAKS_H

#include <stdbool.h>

/* Takes down how much memory is in use. To be called once, before anything of the student's runs: when as much is in
 * use at the very end, the sanitizer need not search for what nobody can reach. Without sanitizers it does nothing. */
void leaks_begin(void);

/* Is as much memory in use as leaks_begin() found? False without sanitizers: nobody knows. */
bool leaks_none(void);

#endif
