/* modes.h - the floating-point modes: rounding, traps, flush to zero, and the flags of what has happened.
 *
 * A switch does not keep them: hardly any program touches them, and even to look whether they have moved costs as much
 * as a whole switch (measured on x86-64: a yield of 9.2 ns, not 5.0). So programs pay that call <fenv.h>, or are linked
 * with all of the library or with co__calls_fenv asked for, as students' are (there are other means to set modes), and
 * no others: in these every flow is entered with the modes that co_run began with; who leaves puts its own away, and
 * back when it goes on (loop.c).
 */
#ifndef MODES_H
#define MODES_H

#include <stdint.h>

#if defined(__x86_64__)

struct modes {
    char x87[28];               /* as fnstenv writes it */
    uint32_t mxcsr;
};

static inline void modes_read(struct modes *modes)
{
    __asm__ volatile("fnstenv %0\n\tfldenv %0\n\tstmxcsr %1" : "=m"(modes->x87), "=m"(modes->mxcsr));
}

static inline void modes_write(const struct modes *modes)
{
    __asm__ volatile("fldenv %0\n\tldmxcsr %1" : : "m"(modes->x87), "m"(modes->mxcsr));
}

#elif defined(__aarch64__)

struct modes { uint64_t fpcr, fpsr; };

static inline void modes_read(struct modes *modes)
{
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(modes->fpcr), "=r"(modes->fpsr));
}

static inline void modes_write(const struct modes *modes)
{
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(modes->fpcr), "r"(modes->fpsr));
}

#else                           /* there the switch is ucontext's, which keeps what the C library knows of */

struct modes { char unused; };
static inline void modes_read(struct modes *modes) { (void)modes; }
static inline void modes_write(const struct modes *modes) { (void)modes; }

#endif

/* Defined only in programs that call <fenv.h>: modes.c is linked into no other. */
extern const char co__calls_fenv __attribute__((weak));

#endif
