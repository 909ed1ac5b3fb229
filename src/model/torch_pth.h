/* The files that torch.save writes (method G.1, G.3): a zip archive with a pickle and a record a
 * storage, or (before PyTorch 1.6) a stream of pickles with the storages behind them. The reader
 * executes nothing and trusts nothing: see pickle.h and torch_state.h. */
#ifndef MODEL_TORCH_PTH_H
#define MODEL_TORCH_PTH_H

#include <stdbool.h>
#include <stdint.h>

#include "model/safetensors.h"

typedef struct TorchPth TorchPth;

/* True where the bytes begin like such a file. */
bool torch_pth_is(const void *bytes, int64_t n);

/* Reads the tensors of the file's state dict (torch_state.h), from bytes that must outlive the
 * result. ERR_FAIL names the file and what does not fit. */
int torch_pth_parse(TorchPth **out, const char *name, const void *bytes, int64_t n);
void torch_pth_free(TorchPth **p);

/* Contiguous and little-endian, like safetensors_at; in the order of the state dict.
 * Borrowed. */
int torch_pth_count(const TorchPth *p);
const SafeTensor *torch_pth_at(const TorchPth *p, int i);

#endif
