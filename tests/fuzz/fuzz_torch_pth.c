#include "base/mem.h"
#include "fuzz.h"
#include "model/torch_pth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    TorchPth *p;
    if (torch_pth_parse(&p, "fuzz", data, (int64_t)size))
        return 0;
    volatile uint8_t sum = 0; /* every byte must be there */
    for (int i = 0; i < torch_pth_count(p); i++) {
        const SafeTensor *t = torch_pth_at(p, i);
        for (int64_t k = 0; k < t->bytes; k++)
            sum = (uint8_t)(sum + ((const uint8_t *)t->data)[k]);
    }
    torch_pth_free(&p);
    return 0;
}
