#include "base/csv.h"

bool csv_field(const char **at, char *buf, size_t n) {
    const char *p = *at;
    bool quoted = *p == '"';
    size_t used = 0;
    for (p += quoted; *p && (quoted || (*p != ',' && *p != '\n')); p++) {
        if (quoted && *p == '"' && *++p != '"') {
            quoted = false;
            p--;
        } else if (used + 1 < n) {
            buf[used++] = *p;
        }
    }
    buf[used] = 0;
    *at = *p ? p + 1 : p;
    return *p == ',';
}
