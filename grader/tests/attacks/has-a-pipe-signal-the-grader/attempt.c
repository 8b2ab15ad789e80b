/* Makes the grader the owner of a pipe, which then signals it. */
    int pair[2] = {-1, -1};
    if (pipe(pair) == 0 && fcntl(pair[0], F_SETOWN, GRADER_PID) == 0) {
        fcntl(pair[0], F_SETSIG, SIGUSR1); fcntl(pair[0], F_SETFL, O_ASYNC); write(pair[1], "x", 1); gained();
    }
    close(pair[0]), close(pair[1]);
