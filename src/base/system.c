#include "base/system.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/words.h"

/* The text behind the first "key...:" of a /proc file, without its newline. */
static int proc_value(const char *path, const char *key, char *buf, int n) {
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    int found = 0;
    while (f && !found && getline(&line, &capacity, f) >= 0) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        snprintf(buf, (size_t)n, "%s", colon + 1 + strspn(colon + 1, " \t"));
        buf[strcspn(buf, "\n")] = '\0';
        found = 1;
    }
    free(line);
    if (f)
        fclose(f);
    return found;
}

static int64_t memory_value(const char *key) {
    char text[64];
    return proc_value("/proc/meminfo", key, text, sizeof text) ? strtoll(text, NULL, 10) * 1024 : 0;
}

int64_t system_memory_total(void) {
    return memory_value("MemTotal");
}

int64_t system_memory_available(void) {
    return memory_value("MemAvailable");
}

int64_t system_peak_rss(void) {
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (int64_t)u.ru_maxrss * 1024 : 0;
}

/* "200000 100000" lets the group run 2 processors' worth; "max ..." sets no limit. */
static int quota_count(void) {
    char text[64] = "", *rest;
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    bool read = f && fgets(text, sizeof text, f);
    if (f)
        fclose(f);
    long long quota = strtoll(text, &rest, 10), period = strtoll(rest, NULL, 10);
    return read && quota > 0 && period > 0 ? (int)((quota - 1) / period + 1) : 0;
}

int system_cpu_count(void) {
    cpu_set_t sets[64]; /* each for 1024; Linux refuses fewer than it may have */
    int count = sched_getaffinity(0, sizeof sets, sets) == 0 ? CPU_COUNT_S(sizeof sets, sets) : 1;
    int quota = quota_count();
    return quota > 0 && quota < count ? quota : count;
}

char *system_cpu_name(char *buf, int n) {
    if (!proc_value("/proc/cpuinfo", "model name", buf, n))
        snprintf(buf, (size_t)n, "unknown");
    return buf;
}

char *system_cpu_features(char *buf, int n) {
    static const char *const wanted[] = {"avx2",        "fma",         "avx_vnni", "avx512f",
                                         "avx512_bf16", "avx512_vnni", "amx_tile"};
    char flags[8192];
    buf[0] = '\0';
    if (!proc_value("/proc/cpuinfo", "flags", flags, sizeof flags))
        return buf;
    size_t used = 0;
    for (Words w = words_of(flags); words_next(&w);)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (words_is(&w, wanted[i]) && used + (size_t)w.length + 2 < (size_t)n)
                used += (size_t)snprintf(buf + used, (size_t)n - used, "%s%s", used ? " " : "",
                                         wanted[i]);
    return buf;
}
