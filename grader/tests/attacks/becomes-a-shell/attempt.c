/* Becomes another program. */
    char *words[] = {"sh", "-c", "echo GAINED", NULL};
    fflush(NULL); execv("/bin/sh", words); execv("/usr/bin/sh", words);
