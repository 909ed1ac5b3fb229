#include "app/footage.h"

#include <stdio.h>

#include "base/log.h"

int footage_open(Dataset **out, const char *path) {
    int code = dataset_open(out, path);
    if (code)
        return code;
    char names[1024], more[64] = "";
    const Remarks *r = &(*out)->remarks;
    if (r->passed_over_count)
        log_warn("passed over in %s, as neither videos nor folders of pictures: %s", (*out)->root,
                 remarks_passed_over(names, sizeof names, r));
    if (r->stray_clips > 1)
        snprintf(more, sizeof more, " (so in %lld more clips)", (long long)r->stray_clips - 1);
    if (r->stray)
        log_warn(FOOTAGE_STRAY "%s", r->stray, more);
    return 0;
}
