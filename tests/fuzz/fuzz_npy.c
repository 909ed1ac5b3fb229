#include "base/npy.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Npy a;
    if (npy_parse(&a, "fuzz", data, (int64_t)size))
        return 0;
    volatile double sum = 0; /* every element must be there */
    for (int64_t i = 0; i < a.count; i++)
        sum = sum + npy_real(&a, i) + (a.kind == 'f' ? 0 : (double)npy_int(&a, i));
    npy_free(&a);
    return 0;
}
