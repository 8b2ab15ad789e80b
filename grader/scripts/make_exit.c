/* make_exit.c - lets `make grade` exit with the grader's own code.
 *
 * GNU make turns every failed recipe into exit code 2. This extension, which the Makefile loads, adds one function to
 * make: $(exit-as-noted PREFIX) looks for the file PREFIX<pid of make>; a recipe has written its exit code there. Not
 * 0: make ends with it. The declarations are those of <gnumake.h>, which not every distribution installs with make.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef char *(*gmk_func_ptr)(const char *name, unsigned int argc, char **argv);
void gmk_add_function(const char *name, gmk_func_ptr function, unsigned int min_args, unsigned int max_args,
                      unsigned int flags);

int plugin_is_GPL_compatible;   /* make asks for this symbol; the MIT licence is */

static char *exit_as_noted(const char *name, unsigned int argc, char **argv)
{
    (void)name;
    (void)argc;
    char path[4096];
    snprintf(path, sizeof path, "%s%ld", argv[0], (long)getpid());
    FILE *file = fopen(path, "r");
    int code = 0;
    if (file) {
        if (fscanf(file, "%d", &code) != 1)
            code = 2;
        fclose(file);
        remove(path);
    }
    if (code != 0) {
        while (wait(NULL) > 0)   /* with -j other recipes may still run; none of them is left behind */
            ;
        exit(code);
    }
    return NULL;
}

int make_exit_gmk_setup(void)
{
    gmk_add_function("exit-as-noted", exit_as_noted, 1, 1, 0);
    return 1;
}
