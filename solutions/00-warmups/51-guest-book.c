/* 51 - A page is written into the guest book. If the disk is full in the middle, the old book must still be there:
 * so write a new file beside it, and only when it is whole put it in the old one's place, in one step. */
#include "warmup.h"

static int write_book(const char *text)
{
    int rc = 0;
    rc = co_file_save("book.tmp", text, strlen(text));
    if (rc == 0)
        rc = co_file_rename("book.tmp", "book");
    return rc;
}

int warmup(void)
{
    char *book = NULL;
    size_t length;
    int rc = write_book("Ada was here. Bob, too.");
    printf("%d ms: %s\n", now_ms(), rc < 0 ? co_strerror(rc) : "written");
    (void)!co_file_remove("book.tmp");
    rc = co_file_load("book", &book, &length);
    printf("%d ms: %s\n", now_ms(), rc < 0 ? "the book is gone" : book);
    free(book);
    return 0;
}
