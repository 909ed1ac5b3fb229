/* A reader of Python's pickles that executes nothing (method G.2). It builds the tree of values
 * that the bytes describe. Classes and functions stay names. A call becomes a node that holds the
 * name and the arguments. The reader accepts the instructions that torch.save writes, protocols 2
 * to 4, and refuses every other. Nothing here depends on torch. */
#ifndef MODEL_PICKLE_H
#define MODEL_PICKLE_H

#include <stdint.h>

typedef enum {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_TEXT,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_GLOBAL,     /* a class or function, by name */
    PICKLE_CALL,       /* the result of a call; items may have been set on it */
    PICKLE_PERSISTENT, /* a reference to something outside the pickle */
    PICKLE_OTHER,      /* other numbers, bytes and long texts: not kept */
} PickleType;

typedef struct PickleValue PickleValue;

typedef struct PickleItem {
    PickleValue *key, *value; /* key: NULL except in a DICT or CALL */
    struct PickleItem *next;
} PickleItem;

struct PickleValue {
    PickleType type;
    int64_t integer;           /* of BOOL and INT */
    const char *text;          /* of TEXT; "module.name" of a GLOBAL and of a CALL, where known */
    const PickleValue *args;   /* of a CALL; the id of a PERSISTENT */
    PickleItem *first, *last;  /* of TUPLE, LIST, DICT and CALL */
    int64_t count;             /* of items */
    const PickleValue *sister; /* of a PERSISTENT: the previous one */
};

typedef struct {
    const PickleValue *root;
    const PickleValue *persistent; /* the last one; `sister` leads to the others */
    int64_t used;                  /* bytes of the pickle */
    struct PickleChunk *chunks;
} Pickle;

/* Reads the pickle at the start of `n` bytes, which are not needed afterwards. `name` is used in
 * messages. The message of ERR_FAIL says what is wrong, and at which byte. */
int pickle_parse(Pickle *out, const char *name, const void *bytes, int64_t n);

/* Accepts zeroed ones. */
void pickle_free(Pickle *p);

/* Item i of a sequence, or the value of a key. NULL if it does not exist or `v` is NULL. */
const PickleValue *pickle_at(const PickleValue *v, int64_t i);
const PickleValue *pickle_get(const PickleValue *v, const char *key);

#endif
