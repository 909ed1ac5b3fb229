/* A reader of Python's pickles that executes nothing (method G.2): it builds the tree of values
 * that the bytes describe. Classes and functions stay names, and what would be a call stays a node
 * that holds the name and the arguments. It takes what torch.save writes, protocols 2 to 4, and
 * refuses every other instruction. Nothing here knows of torch. */
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
    PICKLE_CALL,       /* what a call would give; items may have been set on it */
    PICKLE_PERSISTENT, /* what lies outside the pickle */
    PICKLE_OTHER,      /* numbers, bytes and long texts that nobody asks for */
} PickleType;

typedef struct PickleValue PickleValue;

typedef struct PickleItem {
    PickleValue *key, *value; /* key: of a DICT or CALL, else NULL */
    struct PickleItem *next;
} PickleItem;

struct PickleValue {
    PickleType type;
    int64_t integer;           /* of BOOL and INT */
    const char *text;          /* of TEXT; "module.name" of a GLOBAL and of a CALL, where known */
    const PickleValue *args;   /* of a CALL; the id of a PERSISTENT */
    PickleItem *first, *last;  /* of TUPLE, LIST, DICT and CALL */
    int64_t count;             /* of items */
    const PickleValue *sister; /* of a PERSISTENT: the one before */
};

typedef struct {
    const PickleValue *root;
    const PickleValue *persistent; /* the last one; the others by `sister` */
    int64_t used;                  /* bytes of the pickle */
    struct PickleChunk *chunks;
} Pickle;

/* Reads the pickle at the start of `n` bytes, which are not needed afterwards; `name` is used in
 * messages. ERR_FAIL says at which byte what was wrong. */
int pickle_parse(Pickle *out, const char *name, const void *bytes, int64_t n);

/* Accepts zeroed ones. */
void pickle_free(Pickle *p);

/* Item i of a sequence / the value of a key; NULL where there is none, or `v` is NULL. */
const PickleValue *pickle_at(const PickleValue *v, int64_t i);
const PickleValue *pickle_get(const PickleValue *v, const char *key);

#endif
