#include "score/error_map.h"

/* Takes means along the rows and transposes the result. A second call takes means along the columns
 * and transposes back. */
static void smooth_rows(float *out, const float *in, int side, int radius) {
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            int from = x > radius ? x - radius : 0;
            int to = x + radius < side ? x + radius : side - 1;
            double sum = 0;
            for (int k = from; k <= to; k++)
                sum += in[y * side + k];
            out[x * side + y] = (float)(sum / (to - from + 1));
        }
}

void error_map_smooth(float *map, float *scratch, int side, int radius) {
    smooth_rows(scratch, map, side, radius);
    smooth_rows(map, scratch, side, radius);
}
