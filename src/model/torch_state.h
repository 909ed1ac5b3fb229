/* The tensors of a state dict, out of a pickle that torch.save wrote (method G.2). The names of
 * torch's classes stand here; where the numbers lie is the container's business (torch_pth.c). */
#ifndef MODEL_TORCH_STATE_H
#define MODEL_TORCH_STATE_H

#include "model/pickle.h"
#include "model/safetensors.h"

/* A run of numbers that tensors look into. */
typedef struct {
    const char *key;
    SafeType type;
    int size; /* bytes of a number */
    int64_t count;
    const void *data; /* NULL: not read yet */
    void *owned;      /* freed with the state, where the container set it */
} TorchStorage;

typedef struct {
    TorchStorage *storages; /* sorted by key */
    int storage_count;
    SafeTensor *tensors; /* contiguous */
    void **copies;       /* of those that were not, else NULL */
    int count;
} TorchState;

/* Finds every storage that the pickle speaks of. ERR_FAIL where one makes no sense. `name` is used
 * in messages; the pickle must outlive the state. */
int torch_state_storages(TorchState *s, const Pickle *pickle, const char *name);

/* The storage of a key, or NULL. */
TorchStorage *torch_state_storage(const TorchState *s, const char *key);

/* Sets a storage's data, which must be count x size bytes. */
typedef int (*TorchRead)(void *ctx, TorchStorage *storage);

/* Finds the state dict, reads the storages it needs by `read`, and fills tensors. Copies of what is
 * not contiguous take at most `limit` bytes. */
int torch_state_tensors(TorchState *s, const Pickle *pickle, const char *name, TorchRead read,
                        void *ctx, int64_t limit);

/* Accepts zeroed ones. */
void torch_state_free(TorchState *s);

#endif
