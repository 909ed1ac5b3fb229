/* Memory: zeroed, aligned for SIMD, counted, and able to fail on request in tests. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* `count * size` zeroed bytes, aligned to 64; the caller owns them and frees with mem_free.
 * NULL with the error message set on overflow or when memory is out. Any thread. */
void *mem_alloc(size_t count, size_t size);

/* `bytes` zeroed bytes for a slab, aligned to 64; freed with mem_free_pages. A slab of at least
 * 2 MiB gets huge pages where the system has them, and each page takes memory only once it is
 * touched. NULL with the message set on failure. */
void *mem_alloc_pages(size_t bytes);
void mem_free_pages(void *p);

/* Moves an array from mem_alloc, or NULL, to a new block of `count` elements: copies the first
 * `old`, zeroes the rest and frees the old block. On failure returns NULL and the old block stays
 * valid. */
void *mem_grow(void *p, size_t old, size_t count, size_t size);

/* Makes room for one element after the first `count`. Returns p if it has room. Otherwise returns a
 * block of twice the capacity (64 elements at first), made by mem_grow, and updates *capacity. On
 * failure returns NULL and changes nothing. */
void *mem_room(void *p, int64_t count, int64_t *capacity, size_t size);

/* Frees a block of mem_alloc, mem_grow, mem_room or mem_printf. Accepts NULL. */
void mem_free(void *p);

/* A formatted string the caller frees with mem_free; NULL with the message set on failure. */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The number of allocations so far. Tests use it to assert that a steady loop makes none. */
int64_t mem_count(void);

/* Test hook: allocation number n from now fails, those before and after it do not. So 1 fails the
 * next one. 0 turns the hook off. */
void mem_fail_after(int64_t n);

/* "1.2 GB", "340 MB", "12 KB" into buf (16 bytes are enough); returns buf. */
char *mem_text(char *buf, size_t n, double bytes);

#endif
