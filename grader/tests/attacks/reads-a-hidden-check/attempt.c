/* Opens a hidden check by its path and prints it. */
    show(HIDDEN);
