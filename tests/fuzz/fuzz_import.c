/* Names and shapes of a weight file: which network they tell, what of it has a place, and what is
 * made of it for another network. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "model/import.h"

static void init(const VitConfig *c, const char *path) {
    static Backend *be;
    Vit *v = NULL;
    ImportReport report = {0};
    if ((be || !backend_open(&be, "ref", 1, "f32")) && !vit_open(&v, be, c, 1, false))
        import_init(v, path, &report);
    import_report_free(&report);
    vit_free(&v);
}

/* A network that every kind of fitting stands before, if the file's is small, and one that is just
 * another. */
static void init_others(const char *path) {
    VitConfig c;
    if (import_network(&c, path) || c.width > 32 || c.depth > 2 || c.patch > 8 || c.image > 64 ||
        c.frames > 4 || c.items > 16)
        return;
    c.frames++;
    c.image += c.patch;
    c.relpos = c.relpos == RELPOS_SHARED ? RELPOS_BLOCK : c.relpos;
    c.memory = MEMORY_MNAD;
    c.items = 0;
    init(&c, path);
    c.width += 8;
    c.heads = 1;
    init(&c, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    ImportReport report;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    import_weights(path, "/dev/null/nothing", &report); /* all but the writing */
    import_report_free(&report);
    init_others(path);
    close(fd);
    return 0;
}
