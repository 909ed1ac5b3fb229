#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"

static atomic_llong allocations;
static atomic_llong fail_countdown;

void *mem_alloc(size_t count, size_t size) {
    size_t bytes;
    char text[16];
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX) {
        err_set(ERR_FAIL, "out of memory: %zu elements of %zu bytes overflow the address space",
                count, size);
        return NULL;
    }
    atomic_fetch_add(&allocations, 1);
    void *p;
    bool fails = atomic_load(&fail_countdown) != 0 && atomic_fetch_sub(&fail_countdown, 1) == 1;
    /* Not rounded up: the sanitizer sees the first byte that is read behind the block. */
    if (fails || posix_memalign(&p, 64, bytes ? bytes : 1)) {
        err_set(ERR_FAIL, "out of memory: cannot allocate %s",
                mem_text(text, sizeof text, (double)bytes));
        return NULL;
    }
    return memset(p, 0, bytes);
}

/* The head of a slab: 64 bytes before its values, with what mem_free_pages gives back. */
typedef struct {
    void *block;
    size_t mapped; /* 0: from mem_alloc */
} Slab;

enum { SLAB_HEAD = 64, HUGE_PAGE = 2 << 20 };

void *mem_alloc_pages(size_t bytes) {
    char text[16];
    if (bytes < HUGE_PAGE || atomic_load(&fail_countdown) != 0) {
        char *p =
            bytes > SIZE_MAX - SLAB_HEAD ? mem_alloc(bytes, 2) : mem_alloc(SLAB_HEAD + bytes, 1);
        if (!p)
            return NULL;
        *(Slab *)(void *)p = (Slab){p, 0};
        return p + SLAB_HEAD;
    }
    size_t mapped = bytes > SIZE_MAX / 2 ? SIZE_MAX / 2 : bytes + HUGE_PAGE;
    atomic_fetch_add(&allocations, 1);
    char *block = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
        err_set(ERR_FAIL, "out of memory: cannot allocate %s",
                mem_text(text, sizeof text, (double)bytes));
        return NULL;
    }
    /* The values begin at a huge page. The head ends right before them. */
    char *p = block + HUGE_PAGE - (uintptr_t)block % HUGE_PAGE;
    madvise(p, bytes, MADV_HUGEPAGE); /* advice: a system without them goes on with small ones */
    *(Slab *)(void *)(p - SLAB_HEAD) = (Slab){block, mapped};
    return p;
}

void mem_free_pages(void *p) {
    if (!p)
        return;
    Slab slab = *(Slab *)(void *)((char *)p - SLAB_HEAD);
    if (slab.mapped)
        munmap(slab.block, slab.mapped);
    else
        mem_free(slab.block);
}

void *mem_grow(void *p, size_t old, size_t count, size_t size) {
    void *q = mem_alloc(count, size);
    if (q && p) {
        memcpy(q, p, old * size);
        mem_free(p);
    }
    return q;
}

void *mem_room(void *p, int64_t count, int64_t *capacity, size_t size) {
    if (count < *capacity)
        return p;
    int64_t more = *capacity ? 2 * *capacity : 64;
    void *q = mem_grow(p, (size_t)count, (size_t)more, size);
    if (q)
        *capacity = more;
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
