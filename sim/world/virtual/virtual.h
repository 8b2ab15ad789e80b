/* virtual.h - inside the virtual world: a network, a handful of CPUs, a disk and a clock that jumps.
 *
 * An operation is what one submit asked for: an exchange (HTTP), a job or an access (to the disk). It sits in up to
 * three places: in the table of operations under its id; in the heap of events, when it waits for a moment of time; in
 * a line, when it waits for something that others hold (a connection, a server's worker, a CPU, the disk). When
 * something of it reaches the program, that becomes a result, which the next wait hands over.
 *
 *     submit ──▶ operation ──▶ event … event ──▶ result ──▶ wait's completions
 *
 * Everything that several operations compete for is given in the order they asked; everything that
 * happens at one instant happens in the order it was scheduled. No order ever comes from an address.
 *
 * All memory is taken in submit and open. What happens as time passes can therefore not fail for want of it; only
 * accesses may, whose content grows as it comes: they then end with -ENOMEM, and nothing of them is done.
 * Names that other files of this folder use begin with vw_ (a student's program is linked with them).
 */
#ifndef VIRTUAL_H
#define VIRTUAL_H

#include "../../explore/tape.h"
#include "../../trace/trace.h"
#include "../world.h"
#include "database.h"
#include "disk.h"
#include "job.h"
#include "network.h"
#include "operation.h"
#include "result.h"
#include "schedule.h"
#include "unit.h"
#include "wire.h"

struct world {
    /* The five calls. First, so that a struct co_world * is a struct world *. */
    struct co_world calls;
    /* The clock, in ns. */
    int64_t now;
    /* What draws start from. */
    uint64_t seed;
    /* Where its lines go; NULL: nowhere. */
    struct trace *trace;
    /* What decides where more than one outcome is legal; NULL: the seed alone. */
    struct tape *tape;
    struct network network;
    struct jobs jobs;
    struct disk disk;
    struct databases databases;
    struct guests guests;
    struct operations operations;
    struct events events;
    struct results results;
    /* The number of the newest connection. */
    uint64_t connections;
};

#endif
