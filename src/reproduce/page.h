/* The HTML page about a reproduction. */
#ifndef REPRODUCE_PAGE_H
#define REPRODUCE_PAGE_H

#include "reproduce/state.h"

/* Writes the page. With `pictures` it has the paper's Fig. 2 if the figure's two rows are done;
 * that takes seconds. If the figure cannot be drawn, the page and a warning say why. */
int reproduce_page(const Reproduction *r, const char *path, bool pictures);

#endif
