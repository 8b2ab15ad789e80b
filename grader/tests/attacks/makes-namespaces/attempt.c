/* Makes itself root of a world of its own. */
    if (unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0 || setns(0, 0) == 0 || chroot("/") == 0 ||
        mount("x", "/", "tmpfs", 0, NULL) == 0) gained();
