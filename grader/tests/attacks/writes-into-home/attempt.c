/* Leaves a file for the next shell. */
    append(HOME_FILE);
