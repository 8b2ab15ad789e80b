/* leaks.h - is there any leak to search for? */
#ifndef KIT_LEAKS_H
#define KIT_LEAKS_H

/* Takes down how much memory is in use. To be called once, before anything of the student's runs: when as much is in
 * use at the very end, the sanitizer need not search for what nobody can reach. Without sanitizers it does nothing. */
void leaks_begin(void);

#endif
