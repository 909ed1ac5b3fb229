/* The machine's processor and memory, and the process's use of memory. */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdint.h>

int64_t system_memory_total(void);     /* bytes; 0 where unknown */
int64_t system_memory_available(void); /* bytes usable without swapping; 0 where unknown */
int64_t system_peak_rss(void);         /* this process's largest resident set so far, bytes */

/* The number of processors that this process may use: those of its affinity, but no more than a
 * container's quota (cgroup v2) allows. */
int system_cpu_count(void);

/* Writes the processor's model name into buf[n], "unknown" where the system has none; returns
 * buf. */
char *system_cpu_name(char *buf, int n);

/* Writes the names of the processor's instruction sets that the kernels use, separated by spaces
 * ("avx2 avx512f avx512_bf16 ..."), into buf[n]; returns buf. */
char *system_cpu_features(char *buf, int n);

#endif
