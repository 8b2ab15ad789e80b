/* trace.h - what happened, one JSON object a line. The format is in trace.schema.json.
 *
 * Two sources write here and are never mixed up: the runtime ("from":"runtime") explains, the world
 * ("from":"world") proves. Where a judge holds the world it writes the trace, and says who came and went
 * ("from":"judge"). A line is built key by key:
 *
 *     if (trace) {                                   // off: one predictable branch
 *         trace_begin(trace, now, TRACE_WORLD, "http.start");
 *         trace_int(trace, "task", 3);
 *         trace_str(trace, "url", url, strlen(url));
 *         trace_end(trace);
 *     }
 *
 * Keys are literals of plain ASCII. Nothing here fails visibly: when the file cannot be written the trace
 * goes silent, and its reader sees that the last line is missing.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stddef.h>
#include <stdint.h>

enum trace_from { TRACE_RUNTIME, TRACE_WORLD, TRACE_JUDGE };

struct trace;

/* Opens a trace: path is a file (created, emptied), "-" (stderr) or "fd:N". Writes the first line:
 * {"trace":"looplab/trace/v1","program":...,"seed":...}. NULL with errno set when that fails. */
struct trace *trace_open(const char *path, const char *program, uint64_t seed);

void trace_begin(struct trace *, int64_t t, enum trace_from from, const char *ev);
void trace_int(struct trace *, const char *key, int64_t value);
/* escaped; bytes that are not UTF-8 become U+FFFD */
void trace_str(struct trace *, const char *key, const char *value, size_t length);
/* As it is: one JSON value without line breaks. */
void trace_json(struct trace *, const char *key, const char *json, size_t length);
/* "file.c:12" of the call that returns to pc; nothing if unknown */
void trace_src(struct trace *, const char *key, const void *pc);
void trace_end(struct trace *);

void trace_flush(struct trace *);   /* writes what is buffered; async-signal-safe */
void trace_close(struct trace *);   /* flushes and frees; NULL is fine            */
uint64_t trace_lines(const struct trace *); /* how many were written, without the first */
int trace_failed(const struct trace *);     /* the errno for which it went silent; 0: all is written so far */

/* ---- source_line.c ---- */

/* "file.c:12" of the call that returns to `pc`, from the running program's own debug information
 * (DWARF 4 and 5 line tables), into text[size]. The folder is left out. Returns text, or NULL if unknown. */
const char *source_line(const void *pc, char *text, size_t size);
/* From now on also the lines of a library that the program has loaded: its file, and where its first byte lies (as
 * dladdr tells). Of several calls the first counts. */
void source_line_also(const char *path, const void *base);

#endif
