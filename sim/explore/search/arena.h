/* arena.h - the memory that malloc gives out in an explorer's build.
 *
 * Each process has a piece of the address space of its own, of which malloc takes one block after the other and free
 * takes nothing back. So a block's address says whose it is and which of its blocks, in whatever order the processes
 * ran; no two blocks of a run share an address; and all of it is given back by setting one number to 0.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>
#include <stdint.h>

/* From now on blocks are that process's; 0: nobody's. Whose they were. */
uint32_t arena_use(uint32_t process);

/* What was given out so far stays; what is given out from here on goes with arena_reset. most: bytes that may be given
 * out in between; then malloc returns NULL. */
void arena_keep(size_t most);
void arena_reset(void);

/* The bytes that were given out before arena_keep. */
void *arena_kept(size_t *size);

/* The largest block that was refused since arena_reset; 0: none was. */
size_t arena_refused(void);

#endif
