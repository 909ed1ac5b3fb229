#include <stdlib.h>

#include "data/ranges.h"
#include "fuzz.h"

/* What a parser accepts must hold what ranges.h promises. */
static void check(Ranges *r, int code, int64_t clips) {
    for (int64_t i = 0; i < r->count && !code; i++)
        if (r->item[i].clip < 0 || r->item[i].clip >= clips || r->item[i].first < 0 ||
            r->item[i].last < r->item[i].first)
            abort();
    ranges_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    int64_t n = (int64_t)size;
    Clip clips[2] = {{.name = (char *)"01", .frames = 100}, {.name = (char *)"02", .frames = -1}};
    const Split test = {clips, 2};
    Ranges r = {0};
    int code = ranges_parse_ucsd(&r, "fuzz", text, n);
    check(&r, code, r.clips);
    code = ranges_parse_text(&r, "fuzz", text, n, &test);
    check(&r, code, test.count);
    code = ranges_parse_json(&r, "fuzz", text, n, &test);
    check(&r, code, test.count);
    ranges_is_json(text, n);
    return 0;
}
