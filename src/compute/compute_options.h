/* The options for backend, threads and precision: --backend, --threads, --precision. */
#ifndef COMPUTE_COMPUTE_OPTIONS_H
#define COMPUTE_COMPUTE_OPTIONS_H

#include "base/opt.h"
#include "compute/backend.h"

typedef struct {
    int backend; /* index into backend_names */
    int64_t threads;
    int precision; /* index into precision_names */
} ComputeArgs;

extern const Opt compute_options[];

/* Opens the backend that the options name. */
int compute_open(Backend **out, const ComputeArgs *args);

#endif
