/* path.c - which paths a file may have, in whatever world. */
#include "../world.h"

#include <stddef.h>

#define MOST_PATH 4095      /* bytes, as on Linux */
#define MOST_NAME 255       /* of each part       */

bool world_is_path(const char *path, size_t length)
{
    size_t name = 0, dots = 0;
    if (length == 0 || length > MOST_PATH)
        return false;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && path[i] != '/') {
            if ((unsigned char)path[i] < ' ' || path[i] == 127)
                return false;
            dots += path[i] == '.';
            name++;
            continue;
        }
        if (name == 0 || name > MOST_NAME || (dots == name && dots <= 2))
            return false;
        name = dots = 0;
    }
    return true;
}
