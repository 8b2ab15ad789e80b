/* Opens the source of the kit, to see what is measured and how. */
    show(KIT);
