/* What the machine has and what the process took. */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdint.h>

int64_t system_memory_total(void);     /* bytes; 0 where unknown */
int64_t system_memory_available(void); /* bytes that can be taken without swapping; 0 unknown */
int64_t system_peak_rss(void);         /* bytes of this process so far */

/* Processors this process may use: its affinity, and a container's quota (cgroup v2). */
int system_cpu_count(void);

/* Model name of the processor into buf; returns buf. */
char *system_cpu_name(char *buf, int n);

/* Its instruction sets that matter here ("avx2 avx512f avx512_bf16 ..."), from the same file. */
char *system_cpu_features(char *buf, int n);

#endif
