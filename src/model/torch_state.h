/* Finds the tensors of a state dict in a pickle that torch.save wrote (method G.2). This file knows
 * torch's classes; torch_pth.c knows where the container keeps the numbers. */
#ifndef MODEL_TORCH_STATE_H
#define MODEL_TORCH_STATE_H

#include "model/pickle.h"
#include "model/safetensors.h"

/* An array of numbers; tensors are views of it. */
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
    void **copies;       /* of tensors that were not contiguous; else NULL */
    int count;
} TorchState;

/* Finds every storage that the pickle refers to. ERR_FAIL if one is malformed. `name` is used in
 * messages. The pickle must outlive the state. */
int torch_state_storages(TorchState *s, const Pickle *pickle, const char *name);

/* The storage of a key, or NULL. */
TorchStorage *torch_state_storage(const TorchState *s, const char *key);

/* Sets a storage's data, which must be count x size bytes. */
typedef int (*TorchRead)(void *ctx, TorchStorage *storage);

/* Finds the state dict, reads its storages by `read`, and fills s->tensors. Tensors that are not
 * contiguous are copied; the copies take at most `limit` bytes. */
int torch_state_tensors(TorchState *s, const Pickle *pickle, const char *name, TorchRead read,
                        void *ctx, int64_t limit);

/* Accepts zeroed ones. */
void torch_state_free(TorchState *s);

#endif
