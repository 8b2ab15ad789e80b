/* Has the kernel tell which files are opened there. */
    int fd = inotify_init1(IN_NONBLOCK);
    if (inotify_add_watch(fd, HIDDEN_FOLDER, IN_ALL_EVENTS) >= 0) gained();
    close(fd);
