#include "base/mem.h"
#include "fuzz.h"
#include "model/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Safetensors *s;
    if (safetensors_parse(&s, "fuzz", data, (int64_t)size))
        return 0;
    for (int i = 0; i < safetensors_count(s); i++) {
        const SafeTensor *t = safetensors_at(s, i);
        float *values = mem_alloc((size_t)t->count, sizeof *values); /* every value must be there */
        if (values)
            safetensors_to_f32(t, values);
        mem_free(values);
        safetensors_find(s, t->name);
    }
    safetensors_metadata(s, "network");
    safetensors_free(&s);
    return 0;
}
