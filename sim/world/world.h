/* world.h - the narrow waist: everything outside the student's program is a world.
 *
 * The runtime makes five calls and no other. Requests and completions are plain data, with one flat
 * string of bytes behind each: both can be copied through a pipe, so a world may live in another process.
 * A world never knows that tasks exist; the runtime never knows which world it is in.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a function that each operation goes through, on either side: the linker puts them side by side. One HTTP request
 * touches 20 KiB of code; scattered over the 220 of a program, twelve lines of it met in one set of a processor's
 * 8-way instruction cache, and a request took a sixth longer. */
#define CO_HOT __attribute__((hot))

enum world_op {
    WORLD_HTTP = 1,       /* one HTTP request; redirects are the caller's business             */
    WORLD_JOB,            /* run a function on a worker                                        */
    WORLD_REPORT,         /* put a line of the program's own into the trace; completes at once, gives no completion */
    WORLD_SESSION_CLOSE,  /* close the idle connections of a session; gives no completion     */
    WORLD_FILE,           /* one call to the disk                                               */
    WORLD_FINISH,         /* the program is over: the world puts what is left behind into the trace; gives
                             no completion */
    WORLD_HTTP_READ,      /* `count` bytes of the body of HTTP request `id` were read: its window opens by as many.
                             Gives no completion; submit returns that id. Nothing happens if the request has ended */
    WORLD_DATABASE = 32,  /* one call to a database                                             */
    WORLD_SOCKET,         /* one call to the network, for bytes as they are                     */
};

/* What a WORLD_SOCKET asks of the network. `file` is the id of a LISTEN, an ACCEPT or a CONNECT. */
enum world_socket_call {
    WORLD_SOCKET_LISTEN = 1, /* data: "HOST:PORT"; "": of any address, 0: any free port. rc: the port, and clients may
                             come, to the id of this operation; -EADDRINUSE, -EACCES, -EMFILE, -CO_ENOHOST, -EINVAL */
    WORLD_SOCKET_ACCEPT,  /* waits for a client of listener `file`. HEAD: it has come, and the connection has the id of
                             this operation. Then BODY: its bytes, at most `window` of them not yet told read. END: it
                             sends no more (rc 0), or the connection broke (-ECONNRESET); -EBADF: no such listener */
    WORLD_SOCKET_CONNECT, /* data: "HOST:PORT". The same from the other side; with the HEAD come WORLD_SEED bytes that
                             nobody can foresee. Else END: -ECONNREFUSED, -CO_ENOHOST, -ETIMEDOUT, -EMFILE, -EINVAL */
    WORLD_SOCKET_WRITE,   /* the data. END when all of it is on its way: what the other side does not read fills its
                             window, and then the network's, and then this waits. -ECONNRESET, -EBADF     */
    WORLD_SOCKET_READ,    /* `count` bytes were read: so many more may come. Gives no completion               */
    WORLD_SOCKET_FINISH,  /* nothing more will be written (what was, still goes). Gives no completion         */
    WORLD_SOCKET_CLOSE,   /* of a listener: nobody is let in any more. Of a connection: what was written still goes.
                             Gives no completion                                                              */
};

enum { WORLD_SEED = 32 };

/* What a WORLD_FILE asks of the disk. Each happens as a whole, at the moment it completes, or not at all: with rc
 * -ENOENT, -EEXIST, -ENOSPC, -EIO, -EACCES, -EBADF (not open, or not for that), -EINVAL (no relative path, or an
 * unknown call), -EMFILE (no descriptor is left), -ENOMEM, -ECANCELED. */
enum world_file_call {
    WORLD_FILE_OPEN = 1,  /* rc 0: it is open, under the id of this operation                  */
    WORLD_FILE_READ,      /* up to `count` bytes from where it stands; rc: how many, 0 at the end */
    WORLD_FILE_WRITE,     /* rc 0: all of it is written                                         */
    WORLD_FILE_CLOSE,     /* happens at once; gives no completion                               */
    WORLD_FILE_RENAME,    /* to the second path, which it replaces                              */
    WORLD_FILE_REMOVE,    /* who has it open may go on                                          */
    WORLD_FILE_LIST,      /* the paths that begin with the path given, sorted, '\n' after each; rc: how many */
    WORLD_FILE_LOAD,      /* the whole file                                                     */
    WORLD_FILE_SAVE,      /* a new file of that content, which replaces the old one             */
};

/* What a WORLD_DATABASE asks. `file` is the id of the CONNECT; what is asked of one connection is done in the order in
 * which it was asked for. The END of each but the last two says how it went: rc as in co_db.h, below 0 its bytes are
 * what the database says of it. */
enum world_database_call {
    WORLD_DATABASE_CONNECT = 1, /* data: a URL. rc 0: connected, under the id of this operation             */
    WORLD_DATABASE_QUERY, /* data: SQL, then the values as in sql/flat.h; session: 0, or the number of a prepared
                             statement, which is the same SQL each time. rc: how many rows it changed; its bytes: the
                             names of the columns and the first `count` rows; status 1: there are more      */
    WORLD_DATABASE_PREPARE, /* data: SQL; session: its number                                               */
    WORLD_DATABASE_FETCH, /* the next `count` rows; status 1: there are more                                */
    WORLD_DATABASE_BEGIN, /* mode: of enum world_database_mode                                               */
    WORLD_DATABASE_COMMIT,
    WORLD_DATABASE_ROLLBACK, /* nothing happens if no transaction is open                                   */
    WORLD_DATABASE_STOP,  /* what is left of the rows is not wanted. Gives no completion                    */
    WORLD_DATABASE_CLOSE, /* and what was not committed is rolled back. Gives no completion                 */
};

/* as CO_TX_WRITE... */
enum world_database_mode { WORLD_DATABASE_WRITES, WORLD_DATABASE_READS };

/* as CO_READ... */
enum world_file_mode { WORLD_FILE_TO_READ, WORLD_FILE_TO_WRITE, WORLD_FILE_TO_APPEND, WORLD_FILE_TO_CREATE };

/* What happens where a kept connection turns out to be closed before any of the answer has come. */
enum world_sending {
    WORLD_AGAIN,              /* the request is sent again, over another kept connection or a new one, five times at
                                 most: so does libcurl, and each server that had it may have carried it out */
    WORLD_ONCE,               /* it goes over a connection of its own in the session, so that this cannot happen     */
    WORLD_ONCE_KEPT,          /* it goes over a kept one, and its end is the request's: what a server sees            */
};

/* A request. `data` is `size` bytes that the world copies before submit returns. */
struct world_request {
    enum world_op op;
    uint32_t task;            /* who asks, for the trace alone                                       */
    uint32_t program;         /* and in which of several programs (sim/judge); 0 = there is one only */
    uint64_t user;            /* handed back in each completion                                      */
    uint32_t session;         /* HTTP: connections are shared among requests of one session; 0 = a
                                 connection of its own, closed afterwards                            */
    uint32_t max_per_host;    /* HTTP: most connections of the session to one site; 0 = no limit      */
    uint32_t window;          /* HTTP: at most so many bytes of the body may be on their way or here, and not yet
                                 told read (WORLD_HTTP_READ): a server whose window is full stops sending; 0 = no
                                 limit */
    uint32_t sending;         /* HTTP: of enum world_sending: whether the request may go out a second time            */
    uint32_t blocking;        /* HTTP: 1 = the loop stands still meanwhile; for the trace alone       */
    uint64_t id;              /* HTTP_READ: which request                                              */
    uint32_t lengths[4];      /* HTTP: bytes of method, URL, headers, body, which follow each other in data;
                                 REPORT: bytes of name, JSON text;
                                 FILE: bytes of path, second path; the bytes to write follow them;
                                 DATABASE: bytes of URL or SQL, of values;
                             SOCKET: bytes of the address or of what is written                   */
    uint64_t fn, job;         /* JOB: int (*)(void *) and its argument, as integers: they mean something
                                 in the program's own process only, and are called there              */
    uint32_t pool, workers;   /* JOB: which pool of workers, and how many it has; pool 0: the world's CPUs   */
    uint32_t call, mode;      /* FILE: of enum world_file_call, and for OPEN of enum world_file_mode;
                                 DATABASE: of enum world_database_call, for BEGIN of enum world_database_mode;
                                 SOCKET: of enum world_socket_call */
    uint64_t file, count;     /* FILE: READ, WRITE, CLOSE: the id of the OPEN; READ: how many bytes at most;
                                 HTTP_READ: how many were read; SOCKET: READ: the same */
    const void *data;
    size_t size;
};

/* Which parts of an answer a completion carries. Small answers come as one completion with all three. */
enum world_part {
    WORLD_HEAD = 1,           /* HTTP: status and headers: data = `head` bytes of "Name: value\n" lines */
    WORLD_BODY = 2,           /* HTTP: a piece of the body: the `size - head` bytes after the headers;
                                 FILE: what READ, LOAD and LIST found                                  */
    WORLD_END = 4,            /* the last completion of this id; rc says how it ended                    */
    WORLD_CLOSES = 16,        /* HTTP, with END: the server closes the connection behind the answer      */
    WORLD_INTERRUPT = 8,      /* of no request (id and user 0): a person asks the program to end (Ctrl-C)  */
};

/* Something that happened to a request. `data` belongs to the world, until the next call of wait. */
struct world_completion {
    uint64_t id;              /* what submit returned                                                  */
    uint64_t user;            /* from the request                                                      */
    int64_t t;                /* when it happened, in ns: now(), or earlier if the loop was busy since */
    uint32_t parts;           /* of enum world_part                                                    */
    int32_t rc;               /* with WORLD_END: 0 or more, or a negative errno. JOB: what fn returned  */
    int32_t status;           /* with WORLD_HEAD: the HTTP status; of a database: 1 = there are more rows */
    uint32_t head;            /* with WORLD_HEAD: how many bytes of data are headers                   */
    int64_t cpu;              /* ns of the program's own CPU that handling this costs; the runtime calls block */
    const void *data;
    size_t size;
};

/* A world: five calls, and close. Times are ns from 0, when the world was opened. */
struct co_world {
    /* The clock. Inside a worker's job: that worker's clock. */
    int64_t (*now)(struct co_world *);

    /* Starts an operation. Returns its id (> 0, rising), or 0 when memory is out. Never completes
     * anything itself: completions come from wait only. */
    uint64_t (*submit)(struct co_world *, const struct world_request *);

    /* Gives an operation up. Its last completion follows all the same: rc -ECANCELED, at this instant,
     * or its real result if that was there already. A job that has begun runs to its end. */
    void (*cancel)(struct co_world *, uint64_t id);

    /* Lets time pass until something completes, or until `until` (INT64_MAX: no limit). Returns how
     * many completions it stored in out[0..max), in the order in which they happened (field t). Time stops at the first
     * instant at which one happens, so t differs from now() only after block. A result of `max` may mean that
     * there are more at this instant: ask again. 0: time is `until`, or (until == INT64_MAX) nothing is
     * pending and nothing will ever happen: time has not moved. until < now() counts as now(). */
    size_t (*wait)(struct co_world *, int64_t until, struct world_completion out[], size_t max);

    /* The loop is busy for ns: time passes, nothing is delivered. Inside a worker's job: that worker is. */
    void (*block)(struct co_world *, int64_t ns);

    /* Frees the world and every operation still pending. */
    void (*close)(struct co_world *);

    /* Its clock runs by itself, also while the program computes; its jobs run on threads of their own, where `now` and
     * `block` may be called, too. */
    bool live;
};

struct trace;
struct tape;

/* Opens the virtual world described by the JSON file at `path`, which may also be the JSON itself (then it begins with
 * '{'); NULL: an empty one (no sites, 4 CPUs).
 * seed 0: the file's own. The world writes its own lines to `trace` (NULL: nowhere) and asks `tape`
 * (NULL: always option 0). Both stay the caller's and must outlive the world. Returns NULL on a fault,
 * with one line in error[size]: path, JSON pointer, what was expected; errno is ENOMEM if memory was out. */
struct co_world *world_virtual_open(const char *path, uint64_t seed, struct trace *trace, struct tape *tape,
                                    char *error, size_t size);

/* When something will next happen in a virtual world by itself, if nothing more is asked of it; INT64_MAX: never. For
 * those who lead its clock by a real one (sim/world/serve). */
int64_t world_virtual_next(const struct co_world *world);

/* A connection outside a virtual world takes one of its program's descriptors (opens), or gives it back. False: none is
 * left. For a real world whose disk is a virtual one's (sim/world/real/served.c). */
bool world_virtual_socket(struct co_world *world, bool opens);

/* Opens the real world: this machine's network, files, CPUs and clock. It is in a library of its own
 * (libco-real.a), which only programs that ask for it link; in the others this is NULL. Returns NULL on a fault,
 * with one line in error[size]. */
struct co_world *world_real_open(struct trace *trace, char *error, size_t size) __attribute__((weak));

/* Opens the world that a judge holds (sim/judge), which is asked through the descriptor `fd`. The judge writes the
 * world's lines; `trace` is the program's own, and is flushed should the judge end the run: then the process ends, too.
 * Where the judge holds a tape, *tape asks it, and is the caller's to close after the world. NULL on a fault, with one
 * line in error[size]. A judge serves one run of a program. */
struct co_world *world_remote_open(int fd, struct trace *trace, struct tape **tape, char *error, size_t size);

/* The URLs of the judge's world, as world_file_urls has them. To be asked for before the world is opened. */
long world_remote_urls(int fd, char ***urls, char *error, size_t size);

/* The descriptor that a world's name ("judge:3") speaks of, or -1: it speaks of no judge. */
int world_remote_fd(const char *name);

/* Whether a path may be that of a file, in whatever world: relative, without empty
 * parts, "." and "..", control characters; not too long. */
bool world_is_path(const char *path, size_t length);

/* The URLs of a virtual world's routes, in the file's order. *urls: NULL-terminated array, one block:
 * free(*urls). Returns how many, or -1 with a line in error[size]. */
long world_file_urls(const char *path, char ***urls, char *error, size_t size);

#endif
