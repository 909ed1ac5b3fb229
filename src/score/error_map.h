/* Error maps: squares of side x side cells with the mean squared error of each, row by row. */
#ifndef SCORE_ERROR_MAP_H
#define SCORE_ERROR_MAP_H

/* Replaces each cell by the mean of the (2 radius + 1)^2 cells around it, at the border of those
 * that exist. `scratch` holds as many floats as the map. */
void error_map_smooth(float *map, float *scratch, int side, int radius);

#endif
