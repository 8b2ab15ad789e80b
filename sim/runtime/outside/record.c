/* record.c - values that a program puts on the record: they go to the world, and into its trace. */
#include "runtime/outside/record.h"
#include "runtime/state/loop.h"

#include <stdlib.h>
#include <string.h>

void co_report_bytes(const char *name, const char *json, size_t length)
{
    struct loop *loop = co__loop;
    if (!loop)
        return;
    size_t name_length = strlen(name);
    char *data = malloc(name_length + length);
    if (!data)
        return;
    memcpy(data, name, name_length);
    memcpy(data + name_length, json, length);
    struct world_request request = {.op = WORLD_REPORT, .task = loop->current ? loop->current->id : 0,
                                    .lengths = {(uint32_t)name_length, (uint32_t)length},
                                    .data = data, .size = name_length + length};
    loop->world->submit(loop->world, &request);
    free(data);
}
