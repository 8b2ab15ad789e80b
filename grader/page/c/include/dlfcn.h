/* dlfcn.h - loading a library, as far as labs/00-warmups/main.c does; in page.c. */
#ifndef PAGE_DLFCN_H
#define PAGE_DLFCN_H

#define RTLD_LOCAL 0
#define RTLD_NOW 2

typedef struct {
    const char *dli_fname;
    void *dli_fbase;
    const char *dli_sname;
    void *dli_saddr;
} Dl_info;

void *dlopen(const char *path, int flags);
void *dlsym(void *library, const char *name);
char *dlerror(void);
int dladdr(const void *address, Dl_info *info);

#endif
