/* Pictures that LNRA pastes into frames: CIFAR-100's training images (method C.2). */
#ifndef DATA_INTRUDERS_H
#define DATA_INTRUDERS_H

#include <stdint.h>

typedef struct Intruders Intruders;

/* Maps train.bin of the archive's binary version, or `train` of its Python version. The Python
 * version's pickle is not parsed: the block of pixels is found by its length. ERR_FAIL where the
 * file is neither, judged by its size and train.bin's labels. */
int intruders_open(Intruders **out, const char *path);
void intruders_free(Intruders **p);
int64_t intruders_count(const Intruders *p);

/* Writes picture i as size x size x 3 BGR, resized bilinearly with aligned corners. */
void intruders_get(const Intruders *p, int64_t i, uint8_t *bgr, int64_t size);

#endif
