/* Leaves word in a keyring of the kernel's. */
    if (syscall(SYS_add_key, "user", "looplab", "x", 1, -3) >= 0 || syscall(SYS_keyctl, 0, -4, 1) >= 0 ||
        syscall(SYS_request_key, "user", "looplab", NULL, 0) >= 0) gained();
