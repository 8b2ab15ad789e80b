/* interrupt.c - Ctrl-C. The first one asks the program to end: the main task is cancelled and cleans up. The
 * second one ends the process at once, whatever it does: so the handler is our own, and not one that waits
 * for the loop to come round.
 *
 * And SIGPIPE, which a server that has gone away would cause: it is an error like any other. */
#include "real.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 128 + SIGINT };

/* The world that is told: one at a time, as there is one keyboard. */
static uv_async_t *_Atomic wake;
static atomic_int presses, asked;   /* any thread may be the one that the signal meets */
static struct sigaction before, before_pipe;

static void on_interrupt(int number)
{
    (void)number;
    uv_async_t *told = wake;
    if (++presses > 1)
        _exit(EXIT_INTERRUPTED);
    asked = 1;
    if (told)
        uv_async_send(told);        /* the one call of libuv that a handler may make; it keeps errno */
}

void rw_interrupt_open(struct real *world)
{
    struct sigaction action;
    uv_async_t *nobody = NULL;
    if (!atomic_compare_exchange_strong(&wake, &nobody, &world->wake))
        return;
    presses = 0;
    asked = 0;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, &before_pipe);
    action.sa_handler = on_interrupt;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, NULL, &before);
    if (before.sa_handler != SIG_IGN)       /* else it was started in the background: Ctrl-C is not meant for it */
        sigaction(SIGINT, &action, NULL);
}

bool rw_interrupt_asked(struct real *world)
{
    return wake == &world->wake && atomic_exchange(&asked, 0);
}

void rw_interrupt_close(struct real *world)
{
    if (wake != &world->wake)
        return;
    sigaction(SIGINT, &before, NULL);
    sigaction(SIGPIPE, &before_pipe, NULL);
    wake = NULL;
}
