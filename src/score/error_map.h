/* Error maps: side x side cells, row by row, each with its mean squared error. */
#ifndef SCORE_ERROR_MAP_H
#define SCORE_ERROR_MAP_H

/* Replaces each cell by the mean of the (2 radius + 1)^2 cells around it. At the border only
 * existing cells count. `scratch` holds as many floats as the map. */
void error_map_smooth(float *map, float *scratch, int side, int radius);

#endif
