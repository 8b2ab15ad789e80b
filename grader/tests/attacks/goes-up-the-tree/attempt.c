/* Leaves its folder by a relative path. */
    chdir(HIDDEN_FOLDER); show(HIDDEN_NAME);
