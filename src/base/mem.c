#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static atomic_llong allocations;
static atomic_llong fail_countdown;

void *mem_alloc(size_t count, size_t size) {
    size_t bytes;
    char text[16];
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - 64) {
        err_set(ERR_FAIL, "out of memory: %zu elements of %zu bytes overflow the address space",
                count, size);
        return NULL;
    }
    atomic_fetch_add(&allocations, 1);
    bytes = (bytes + 63) / 64 * 64;
    void *p = NULL;
    if (atomic_load(&fail_countdown) == 0 || atomic_fetch_sub(&fail_countdown, 1) != 1)
        p = aligned_alloc(64, bytes ? bytes : 64);
    if (!p) {
        err_set(ERR_FAIL, "out of memory: cannot allocate %s",
                mem_text(text, sizeof text, (double)bytes));
        return NULL;
    }
    return memset(p, 0, bytes);
}

void *mem_grow(void *p, size_t old, size_t count, size_t size) {
    void *q = mem_alloc(count, size);
    if (q && p) {
        memcpy(q, p, old * size);
        mem_free(p);
    }
    return q;
}

void mem_free(void *p) {
    free(p);
}

char *mem_printf(const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = n < 0 ? NULL : mem_alloc((size_t)n + 1, 1);
    if (s)
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

int64_t mem_count(void) {
    return atomic_load(&allocations);
}

void mem_fail_after(int64_t n) {
    atomic_store(&fail_countdown, n);
}

char *mem_text(char *buf, size_t n, double bytes) {
    static const char *const unit[] = {"B", "KB", "MB", "GB", "TB"};
    int u = 0;
    while (bytes >= 1000 && u < 4) {
        bytes /= 1000;
        u++;
    }
    snprintf(buf, n, u == 0 || bytes >= 99.5 ? "%.0f %s" : "%.1f %s", bytes, unit[u]);
    return buf;
}
