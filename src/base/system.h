/* The machine's processor and memory, and the process's use of memory. */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdint.h>

int64_t system_memory_total(void);     /* bytes; 0 where unknown */
int64_t system_memory_available(void); /* bytes usable without swapping; 0 where unknown */
int64_t system_peak_rss(void);         /* the most bytes that this process has held */

/* The number of processors this process may use, by its affinity and a container's quota (cgroup
 * v2). */
int system_cpu_count(void);

/* Writes the processor's model name into buf; returns buf. */
char *system_cpu_name(char *buf, int n);

/* Writes the processor's instruction sets that matter here ("avx2 avx512f avx512_bf16 ...") into
 * buf; returns buf. */
char *system_cpu_features(char *buf, int n);

#endif
