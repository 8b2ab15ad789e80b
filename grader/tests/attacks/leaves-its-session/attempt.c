/* Leaves the group that is ended with it. */
    if (setsid() >= 0 || setpgid(0, 0) == 0) gained();
