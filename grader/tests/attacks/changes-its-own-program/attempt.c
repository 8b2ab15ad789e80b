/* Replaces itself for the runs to come. */
    char path[4096] = "";
    readlink("/proc/self/exe", path, sizeof path - 1);
    if (unlink(path) == 0 || open(path, O_WRONLY) >= 0) gained();
