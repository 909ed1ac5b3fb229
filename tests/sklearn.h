/* tests/reference/sklearn_metrics.json: numbers that scikit-learn, SciPy and NumPy computed. */
#ifndef TESTS_SKLEARN_H
#define TESTS_SKLEARN_H

#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"

/* The whole file; fails the test where it cannot be read. js_free. */
static inline Json *sklearn_open(void) {
    Json *j = NULL;
    if (js_read_file(&j, SOURCE_DIR "/tests/reference/sklearn_metrics.json", 1 << 20))
        fail_msg("%s", err_text());
    return j;
}

/* The numbers of a text like "0.5 1", at most `max`; their number. */
static inline int64_t sklearn_numbers(double *out, int64_t max, const Json *object,
                                      const char *key) {
    const char *p = js_text_of(js_get(object, key));
    assert_non_null(p);
    int64_t n = 0;
    for (char *end; n < max; p = end) {
        double v = strtod(p, &end);
        if (end == p)
            break;
        out[n++] = v;
    }
    return n;
}

static inline double sklearn_number(const Json *object, const char *key) {
    double v = 0;
    assert_int_equal(sklearn_numbers(&v, 1, object, key), 1);
    return v;
}

#endif
