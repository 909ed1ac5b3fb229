#include "compute/compute_options.h"

static const char *const precision_names[] = {"auto", "f32", "bf16", "int8", NULL};

const Opt compute_options[] = {
    OPT_CHOICE_ROW(ComputeArgs, backend, "backend", "cpu", backend_names,
                   "fast kernels, or the plain reference"),
    OPT_INT_ROW(ComputeArgs, threads, "threads", "0", 0, 1024, "N", "threads; 0: all processors"),
    OPT_CHOICE_ROW(ComputeArgs, precision, "precision", "auto", precision_names,
                   "of activations and products; auto: bf16 where the processor has it, else f32"),
    OPT_END,
};

int compute_open(Backend **out, const ComputeArgs *args) {
    const char *precision = args->precision > 0 ? precision_names[args->precision] : NULL;
    return backend_open(out, backend_names[args->backend], (int)args->threads, precision);
}
