/* Time stamps as a broken source gives them: seconds never run back, and frames are taken in order,
 * the first one too. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "video/sampler.h"
#include "video/timeline.h"

enum { MOST = 512 };

static void check(bool holds) {
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    double stamp[MOST], seconds[MOST] = {0}, interval;
    int64_t take[MOST], n = 0;
    if (size < sizeof interval)
        return 0;
    memcpy(&interval, data, sizeof interval);
    interval = interval > 0 && interval < 3600 ? interval : 0.08;
    for (size_t at = sizeof interval; at + sizeof *stamp <= size && n < MOST; at += sizeof *stamp)
        memcpy(&stamp[n++], data + at, sizeof *stamp);
    Timeline t = {0};
    int64_t timed = 0;
    double last = 0;
    for (int64_t i = 0; i < n; i++) {
        double now = timeline_add(&t, stamp[i]);
        if (isnan(now)) {
            check(timed == 0);
            continue;
        }
        check(now >= last);
        seconds[timed++] = last = now;
    }
    int64_t count = sampler_list(take, seconds, timed, interval);
    check(count <= timed && (timed == 0 || (count > 0 && take[0] == 0)));
    for (int64_t i = 1; i < count; i++)
        check(take[i] > take[i - 1]);
    return 0;
}
