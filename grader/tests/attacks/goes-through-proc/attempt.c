/* Reaches the file by the root and the folder of processes that may see it. */
    show("/proc/self/root" HIDDEN); show("/proc/1/root" HIDDEN);
    char path[4096]; snprintf(path, sizeof path, "/proc/%d/root" HIDDEN, getppid()); show(path);
