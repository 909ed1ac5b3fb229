/* Memory: zeroed, aligned for SIMD, counted, and able to fail on request in tests. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* `count * size` zeroed bytes, aligned to 64; the caller owns them and frees with mem_free.
 * NULL with the error message set on overflow or when memory is out. Any thread. */
void *mem_alloc(size_t count, size_t size);

/* The same for slabs: large ones take huge pages where the system has them, and a page takes memory
 * only once it is touched. Freed with mem_free_pages. */
void *mem_alloc_pages(size_t bytes);
void mem_free_pages(void *p);

/* Grows an array from mem_alloc: keeps the first `old` elements, zeroes the rest, frees the old
 * block. On failure returns NULL and the old block stays valid. */
void *mem_grow(void *p, size_t old, size_t count, size_t size);

/* Room for one more behind `count` elements: p itself, or where it is full, an array of twice the
 * capacity as mem_grow makes it. NULL, with nothing changed, on failure. */
void *mem_room(void *p, int64_t count, int64_t *capacity, size_t size);

/* Frees what mem_alloc, mem_grow or mem_printf gave. NULL is fine. */
void mem_free(void *p);

/* A formatted string the caller frees with mem_free; NULL with the message set on failure. */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Allocations so far: a test asserts that a steady loop makes none. */
int64_t mem_count(void);

/* Test hook: the nth allocation from now (1 = the next) fails; 0 turns it off. */
void mem_fail_after(int64_t n);

/* "1.2 GB", "340 MB", "12 KB" into buf (16 bytes are enough); returns buf. */
char *mem_text(char *buf, size_t n, double bytes);

#endif
