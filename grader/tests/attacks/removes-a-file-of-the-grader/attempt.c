/* Removes it, or gives it another name. */
    if (unlink(GRADER_FILE) == 0 || rename(GRADER_FILE, "x") == 0) gained();
