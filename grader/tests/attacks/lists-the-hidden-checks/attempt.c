/* Lists a folder: names tell what is asked for. */
    DIR *folder = opendir(HIDDEN_FOLDER); struct dirent *entry;
    while (folder && (entry = readdir(folder))) puts(entry->d_name);
