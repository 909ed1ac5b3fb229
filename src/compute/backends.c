#include "compute/backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/system.h"
#include "compute/cpu/cpu.h"
#include "compute/ref/ref.h"

/* A new backend is a folder and a row here: its name, and the function that overrides entries of a
 * table that ref_open has filled. tests/CMakeLists.txt reads the names of the rows. */
#define BACKENDS(ROW) ROW("cpu", cpu_open) ROW("ref", ref_open)

#define ROW_NAME(name, open) name,
#define ROW_OPEN(name, open) open,
const char *const backend_names[] = {BACKENDS(ROW_NAME) NULL};
static int (*const backend_opens[])(Backend *be) = {BACKENDS(ROW_OPEN)};

static void *host_alloc(Backend *be, size_t bytes) {
    (void)be;
    return mem_alloc_pages(bytes);
}

static void host_release(Backend *be, void *p) {
    (void)be;
    mem_free_pages(p);
}

static void host_upload(Backend *be, void *to, const void *host, size_t bytes) {
    (void)be;
    memcpy(to, host, bytes);
}

static void host_download(Backend *be, void *host, const void *from, size_t bytes) {
    (void)be;
    memcpy(host, from, bytes);
}

static void host_zero(Backend *be, void *p, size_t bytes) {
    (void)be;
    memset(p, 0, bytes);
}

static int host_sync(Backend *be) {
    return be->error ? err_set(be->error, "%s", be->error_text) : 0;
}

static const char *const precision_names[] = {[F32] = "f32", [BF16] = "bf16", [U8] = "int8"};

const char *backend_precision(const Backend *be) {
    return precision_names[be->type];
}

/* The type of this name; NULL: `best`. Negative if the name is unknown. */
static int precision_type(const char *name, DType best) {
    for (int i = F32; name && i <= U8; i++)
        if (strcmp(name, precision_names[i]) == 0)
            return i;
    return name ? -1 : (int)best;
}

static int open_by_name(Backend *be, const char *name) {
    char known[64] = "";
    for (int i = 0; backend_names[i]; i++) {
        if (strcmp(name, backend_names[i]) == 0)
            return backend_opens[i](be);
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? " or " : "",
                 backend_names[i]);
    }
    return err_set(ERR_USAGE, "backend \"%s\" is unknown; expected %s", name, known);
}

int backend_open(Backend **out, const char *name, int threads, const char *precision) {
    Backend *be = mem_alloc(1, sizeof *be);
    if (!be)
        return ERR_FAIL;
    be->threads = threads > 0 ? threads : system_cpu_count();
    be->host_memory = true;
    be->alloc = host_alloc;
    be->release = host_release;
    be->upload = host_upload;
    be->download = host_download;
    be->zero = host_zero;
    be->sync = host_sync;
    ref_open(be);
    int code = open_by_name(be, name);
    int type = precision_type(precision, be->type);
    if (!code && type < 0)
        code = err_set(ERR_USAGE, "precision \"%s\" is unknown; expected f32, bf16 or int8",
                       precision);
    if (code) {
        backend_free(&be);
        return code;
    }
    be->type = (DType)type;
    *out = be;
    return 0;
}

void backend_free(Backend **be) {
    if (!be || !*be)
        return;
    if ((*be)->close)
        (*be)->close(*be);
    mem_free(*be);
    *be = NULL;
}

void backend_fail(Backend *be, const char *fmt, ...) {
    if (be->error)
        return;
    be->error = ERR_FAIL;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(be->error_text, sizeof be->error_text, fmt, ap);
    va_end(ap);
}
