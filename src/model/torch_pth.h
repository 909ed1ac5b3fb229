/* Reads the files that torch.save writes (method G.1, G.3). They are a zip archive with a pickle
 * and one record for each storage, or (before PyTorch 1.6) a stream of pickles followed by the
 * storages. The reader executes nothing and trusts nothing: see pickle.h and torch_state.h. */
#ifndef MODEL_TORCH_PTH_H
#define MODEL_TORCH_PTH_H

#include <stdbool.h>
#include <stdint.h>

#include "model/safetensors.h"

typedef struct TorchPth TorchPth;

/* True if the bytes begin like a file of torch.save. */
bool torch_pth_is(const void *bytes, int64_t n);

/* Reads the tensors of the file's state dict (torch_state.h). The bytes must outlive the result.
 * The message of ERR_FAIL names the file and the fault. */
int torch_pth_parse(TorchPth **out, const char *name, const void *bytes, int64_t n);
void torch_pth_free(TorchPth **p);

/* The tensors, in the order of the state dict: contiguous, little-endian and borrowed, like those
 * of safetensors_at. */
int torch_pth_count(const TorchPth *p);
const SafeTensor *torch_pth_at(const TorchPth *p, int i);

#endif
