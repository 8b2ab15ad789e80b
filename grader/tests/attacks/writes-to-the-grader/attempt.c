/* Adds a line to a file of the grader's. */
    append(GRADER_FILE);
