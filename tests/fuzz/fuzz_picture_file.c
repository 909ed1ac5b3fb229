#include "fuzz.h"
#include "video/picture_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PictureKind kind;
    int64_t bytes = 0;
    if (picture_file_check(&kind, &bytes, data, (int64_t)size))
        return 0;
    int turn = picture_file_orientation(kind, data, bytes);
    if (bytes < 2 || bytes > (int64_t)size || turn < 0 || turn > 7)
        abort();
    return 0;
}
