#include <stdlib.h>
#include <string.h>

#include "data/tracks.h"
#include "fuzz.h"

/* What the parser accepts must hold what tracks.h promises. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[4096];
    Tracks t = {0};
    size = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!tracks_parse(&t, "fuzz", text, 0, 100))
        for (int64_t i = 0; i < t.count; i++)
            if (t.item[i].track < 0 || t.item[i].track >= t.tracks || t.item[i].frame < 0 ||
                t.item[i].frame >= 100 || box_area(t.item[i].box) < 1)
                abort();
    tracks_free(&t);
    return 0;
}
