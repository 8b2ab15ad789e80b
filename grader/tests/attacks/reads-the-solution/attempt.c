/* Opens the reference solution. */
    show(SOLUTION);
