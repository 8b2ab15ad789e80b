/* Writes a program and becomes that. */
    char *words[] = {"x", NULL};
    int fd = open("x", O_WRONLY | O_CREAT, 0700);
    if (fd >= 0 && write(fd, "#!/bin/echo GAINED\n", 19) == 19) close(fd);
    fflush(NULL); execv("./x", words); syscall(SYS_execveat, syscall(SYS_memfd_create, "x", 0), "", words,
        NULL, AT_EMPTY_PATH); unlink("x");
