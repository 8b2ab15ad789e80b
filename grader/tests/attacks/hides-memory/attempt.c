/* Takes memory that counts as nobody's. */
    if (syscall(SYS_memfd_create, "x", 0) >= 0) gained();
