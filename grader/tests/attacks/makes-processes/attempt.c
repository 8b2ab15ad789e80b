/* Makes a process that goes on after the run, in every way there is. */
    char *words[] = {"true", NULL};
    pid_t pid = fork();
    if (pid == 0) for (;;) pause();
    if (pid > 0 || posix_spawn(&pid, "/bin/true", NULL, NULL, words, words + 1) == 0 || syscall(SYS_clone,
        SIGCHLD, 0, 0, 0, 0) > 0 || syscall(SYS_clone3, NULL, 0) > 0) gained();
