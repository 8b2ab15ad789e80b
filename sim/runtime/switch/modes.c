/* modes.c - linked into a program only if it calls <fenv.h> (ld's --wrap, see sim/kit/link.flags), or asks for
 * co__calls_fenv (grader/scripts/run.sh), or is linked with all of the library: then the loop keeps each task's
 * floating-point modes and flags apart. The calls themselves are the C library's.
 */
#define _GNU_SOURCE
#include "runtime/switch/modes.h"

#include <fenv.h>

const char co__calls_fenv = 1;

#define PASS_ON(type, name, parameters, arguments) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters { return __real_##name arguments; }

PASS_ON(int, feclearexcept, (int what), (what))
PASS_ON(int, feraiseexcept, (int what), (what))
PASS_ON(int, fetestexcept, (int what), (what))
PASS_ON(int, fegetexceptflag, (fexcept_t *flags, int what), (flags, what))
PASS_ON(int, fesetexceptflag, (const fexcept_t *flags, int what), (flags, what))
PASS_ON(int, fegetround, (void), ())
PASS_ON(int, fesetround, (int way), (way))
PASS_ON(int, fegetenv, (fenv_t *env), (env))
PASS_ON(int, fesetenv, (const fenv_t *env), (env))
PASS_ON(int, feholdexcept, (fenv_t *env), (env))
PASS_ON(int, feupdateenv, (const fenv_t *env), (env))
#ifdef __GLIBC__
PASS_ON(int, feenableexcept, (int what), (what))
PASS_ON(int, fedisableexcept, (int what), (what))
PASS_ON(int, fegetexcept, (void), ())
PASS_ON(int, fesetexcept, (int what), (what))
PASS_ON(int, fetestexceptflag, (const fexcept_t *flags, int what), (flags, what))
PASS_ON(int, fegetmode, (femode_t *mode), (mode))
PASS_ON(int, fesetmode, (const femode_t *mode), (mode))
#endif
