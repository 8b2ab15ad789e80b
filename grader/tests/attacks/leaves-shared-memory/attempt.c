/* Leaves memory, a queue, a semaphore that outlive it. */
    if (shmget(0x10095, 4096, IPC_CREAT | 0600) >= 0 || msgget(0x10095, IPC_CREAT | 0600) >= 0 ||
        semget(0x10095, 1, IPC_CREAT | 0600) >= 0 || shm_open("/looplab-left", O_CREAT | O_RDWR,
        0600) >= 0 || syscall(SYS_mq_open, "looplab-left", O_CREAT | O_RDWR, 0600, NULL) >= 0) gained();
