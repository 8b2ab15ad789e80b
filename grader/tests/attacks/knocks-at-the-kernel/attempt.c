/* Asks for doors into the kernel that are often left ajar. */
    char nothing[256] = {0};
    if (syscall(SYS_bpf, 0, nothing, 128) >= 0 || syscall(SYS_userfaultfd, 0) >= 0 ||
        syscall(SYS_io_uring_setup, 1, nothing) >= 0 || syscall(SYS_perf_event_open, nothing, 0, -1, -1,
        0) >= 0) gained();
