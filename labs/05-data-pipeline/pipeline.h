/* pipeline.h - the contract of lab 05. It is complete; you do not change it.
 *
 * Orders of a shop come as JSON documents, one from each URL. The pipeline fetches them, makes a short summary of each,
 * and writes every summary into a file of its own:
 *
 *     urls --> fetch --[queue]--> transform --[queue]--> write --> out/order-17.json
 *
 * Each stage has some workers; each queue holds only so many items.
 */
#ifndef PIPELINE_H
#define PIPELINE_H

#include "co.h"

#include <jansson.h>

enum stage { STAGE_FETCH, STAGE_TRANSFORM, STAGE_WRITE };
#define STAGES 3

/* What goes wrong in the transform. */
#define NOT_JSON EBADMSG             /* -NOT_JSON: the body is no JSON document                           */
#define NO_FIELD ENODATA             /* -NO_FIELD: a field we need is missing, or is not of the right kind */

/* ---- You write these three ------------------------------------------------------------------ */

/* Makes the summary of one order. body: `length` bytes, such as
 *     {"id": 17, "customer": {"name": "Ada", "city": "Turin"}, "paid": true,
 *      "items": [{"sku": "tea", "price": 350, "quantity": 2}, {"sku": "cup", "price": 900, "quantity": 1}]}
 * Four fields are needed: `id` (an integer), `customer.name` (a string), and for each element of the array `items` its
 * `price` and its `quantity` (integers). All others are left out. `items` may be empty.
 *
 * *id gets the id. *text gets the summary, which is exactly what json_dumps gives with JSON_COMPACT | JSON_SORT_KEYS
 * for an object with four members, here
 *     {"customer":"Ada","id":17,"total":1600,"units":3}
 * customer: customer.name. total: the sum of price * quantity. units: the sum of the quantities. Both fit into a
 * json_int_t. *text is the caller's to free().
 *
 * Returns 0, -NOT_JSON, -NO_FIELD (also for a document that is no object), or -ENOMEM; after an error *id and *text are
 * of no matter. It waits for nothing, so that a worker of co_to_thread can call it, and it takes no time. */
int transform_order(const char *body, size_t length, json_int_t *id, char **text);

/* Writes a file so that nobody ever sees half of it: the `size` bytes go into the file PATH.tmp (path with ".tmp"
 * behind it), which gets its right name when it is complete. Exactly these calls, each once: co_file_open
 * (CO_WRITE), co_file_write, co_file_close, co_file_rename. An older file of that name is replaced; an older
 * PATH.tmp is overwritten.
 *
 * Returns 0, or the error of the call that failed. Then, and also after -ECANCELED, there is no PATH.tmp, and what
 * `path` held before is still there. Removing PATH.tmp may take its time. */
int write_whole(const char *path, const char *data, size_t size);

/* How to run the pipeline. */
struct pipeline_options {
    size_t workers;                  /* of each stage; 1 or more                                         */
    size_t bound;                    /* most items in each of the two queues; 1 or more                  */
    int64_t ns_per_byte;             /* what the transform costs the CPU, for each byte of the body; may be 0 */
};

/* What became of it all. */
struct pipeline_stats {
    size_t done[STAGES];             /* items that went through the stage; done[STAGE_WRITE]: files in place  */
    size_t failed[STAGES];           /* items that failed in it, and went no further                          */
    int64_t elapsed_ns;              /* from the call of pipeline to its end, on the loop's clock             */
    double throughput;               /* files in place a second: done[STAGE_WRITE] / elapsed time in seconds;
                                        0.0 when no time passed                                               */
};

/* Runs the pipeline on urls[0..n). n may be 0.
 *
 *   fetch      takes the URLs in their order, and gets each once with co_session_get. One session for all; its headers
 *              are "Accept: application/json\n". Any answer with another status than 200 is a failure.
 *   transform  a worker of co_to_thread computes for length * ns_per_byte ns (co_cpu, one call) and then calls
 *              transform_order. It does so for every body that comes, also for one that is no JSON.
 *   write      write_whole, path "out/order-ID.json", where ID is the id in decimal. No two orders have the same id.
 *
 * An item that fails is counted, told with log_error, and goes no further; its worker goes on with the next one.
 * Returns 0, also when items failed; -ENOMEM without memory; -ECANCELED when the calling task was cancelled: then every
 * worker has ended, no .tmp file is left, and stats is of no matter. */
int pipeline(const char *const urls[], size_t n, const struct pipeline_options *options, struct pipeline_stats *stats);

/* ---- The kit has this one (main.c) ---------------------------------------------------------- */

/* Puts the failure of one item on the record: once for each item that fails, when it fails, by the stage in which it
 * fails. error: what the failing call returned (-ECONNREFUSED, -NOT_JSON, -ENOSPC ...), or the HTTP status if there was
 * an answer (500). Being cancelled is no failure of an item. It does not wait. Not in a worker of co_to_thread. */
void log_error(enum stage stage, const char *url, int error);

#endif
