/* Takes away the right to read it, which needs no right to the file itself. */
    if (chmod(GRADER_FILE, 0) == 0 || chown(GRADER_FILE, 1, 1) == 0 || utime(GRADER_FILE, NULL) == 0) gained();
